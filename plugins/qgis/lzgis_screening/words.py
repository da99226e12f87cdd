"""The wording of the plugin in Chinese and English. Nothing of QGIS is imported here."""

WORDS = {
    "provider": ("选址核查 lzgis", "lzgis screening"),
    "screen": ("核查项目", "Screen sites"),
    "screen_help": (
        "按全部有效规则核查项目，结果带样式、分组、标注载入。面积为 CGCS2000 椭球面积。“未发现冲突”不等于合规。",
        "Checks sites against every rule in force; the results are loaded styled, grouped and labelled. Areas are on the "
        "ellipsoid of CGCS2000. “No conflict found” is no approval.",
    ),
    "inspect": ("诊断文件", "Inspect a file"),
    "inspect_help": (
        "文件是什么，位于何处，作了哪些认定，哪些不予接受。",
        "What a file is, where it lies, what is assumed and what is refused.",
    ),
    "audit": ("图层自检", "Audit the layers"),
    "audit_help": (
        "检查城市图层之间的重叠、缝隙、编码和公布数。",
        "Checks the layers of a city against each other, their codes and their declared figures.",
    ),
    "diff": ("比较版本", "Compare versions"),
    "diff_help": (
        "比较两个城市文件夹、规则库或图层，并指出哪些结论改变。",
        "Compares two cities, rule books or layers, and says which verdicts change.",
    ),
    "avoid": ("避让", "Avoid conflicts"),
    "avoid_help": (
        "项目的剩余部分，以及消除冲突的最短移动。",
        "What remains of a site, and the shortest move that clears it.",
    ),
    "map": ("出图", "Draw maps"),
    "map_help": ("按版式输出核查图（PDF、PNG、SVG）。", "Draws maps on paper (PDF, PNG, SVG)."),
    "surface": ("约束面", "Constraint surface"),
    "surface_help": (
        "把全部规则写入一个栅格：每条规则一位、严重程度、到禁止处的距离。",
        "Writes all rules into one raster: a bit for each rule, the severity, and the distances.",
    ),
    "sites": ("项目图层", "Sites"),
    "id_field": ("编号字段", "Field of ids"),
    "name_field": ("名称字段", "Field of names"),
    "activity_field": ("活动类型字段", "Field of activities"),
    "activity": ("全部项目的活动类型", "Activity of all sites"),
    "city": ("城市文件夹（空为参考城市）", "City folder (empty: the reference city)"),
    "as_of": ("规则日期（空为今天）", "Date of the rules (empty: today)"),
    "language": ("语言", "Language"),
    "formats": ("另写格式", "Further formats"),
    "load": ("载入结果", "Load the results"),
    "out": ("结果文件夹", "Folder of results"),
    "package": ("GeoPackage", "GeoPackage"),
    "page": ("网页", "Page"),
    "file": ("文件", "File"),
    "crs": ("文件未注明的坐标系", "Reference system that the file does not state"),
    "encoding": ("文字编码", "Encoding of text"),
    "layer": ("文件中的图层", "Layer in the file"),
    "old": ("旧版本", "Old version"),
    "new": ("新版本", "New version"),
    "report": ("此前的 report.json", "Earlier report.json"),
    "site": ("项目编号", "Id of the site"),
    "within": ("最大移动距离（米）", "Largest move (m)"),
    "paper": ("纸张", "Paper"),
    "orientation": ("方向", "Orientation"),
    "each": ("每个项目一张", "One map for each site"),
    "cell": ("像元（米）", "Cells (m)"),
    "raster": ("栅格", "Raster"),
    "remains": ("剩余部分", "What remains"),
    "moved": ("移动后", "Moved"),
    "settings": ("设置", "Settings"),
    "command": ("lzgis 程序的路径", "Path of the program lzgis"),
    "check": ("检查", "Check"),
    "works": ("可用：{}", "Works: {}"),
    "no_command": ("没有找到 lzgis，请在设置中给出路径", "lzgis was not found; give its path in the settings"),
    "dock": ("即点即查", "Ask a site"),
    "pick": ("点选项目", "Pick a site"),
    "draw": ("绘制项目", "Draw a site"),
    "draw_hint": ("左键加点，右键结束，Esc 取消", "Left click adds a point, right click ends, Esc cancels"),
    "running": ("正在核查……", "Checking …"),
    "nothing_here": ("此处没有项目", "No site here"),
    "no_layer": ("请先选择项目图层", "Choose a layer of sites first"),
    "not_checked": ("未核查", "Not checked"),
    "no_approval": ("结论不替代审批；“未发现冲突”不等于合规。", "No verdict is an approval."),
    "canceled": ("已取消", "Canceled"),
    "no_crs": ("图层没有坐标系，请先指定", "The layer has no reference system; set it first"),
    "no_activity": ("（未给出）", "(not given)"),
}


class Words:
    """The wording in the language of a locale: Chinese for ``zh…``, English for all others."""

    def __init__(self, locale):
        self.language = "zh" if str(locale or "").lower().startswith("zh") else "en"

    def __call__(self, key, *values):
        """Return the wording of a key, with its placeholders filled in."""
        zh, en = WORDS[key]
        text = zh if self.language == "zh" else en
        return text.format(*values) if values else text
