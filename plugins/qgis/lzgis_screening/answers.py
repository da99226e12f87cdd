"""What the dock shows of a report: verdict, findings, what was not checked. Nothing of QGIS is imported here."""

import html

#: Findings from the gravest on.
_ORDER = {"prohibited": 0, "conditional": 1, "notice": 2}


def page(report, words):
    """Return a report of one site as HTML.

    Parameters
    ----------
    report : dict
        What ``lzgis screen --json`` prints.
    words : Words
        The wording.
    """
    verdict = report["verdicts"][0]
    titles = {rule["id"]: rule.get("title", rule["id"]) for rule in report.get("rules", [])}
    involved = [one for one in report["findings"] if one["state"] not in ("不涉及", "未核查", "不适用")]
    open_ones = [one for one in report["findings"] if one["state"] == "未核查"]
    lines = ["<h3>{}</h3>".format(html.escape(str(verdict["verdict"])))]
    lines += [_finding(one, titles) for one in sorted(involved, key=lambda one: _ORDER.get(one["severity"], 3))]
    if open_ones:
        names = sorted({titles.get(one["rule"], one["rule"]) for one in open_ones})
        listed = "".join("<li>{}</li>".format(html.escape(name)) for name in names)
        lines.append("<p><b>{} {}</b></p><ul>{}</ul>".format(html.escape(words("not_checked")), len(names), listed))
    notice = report.get("city", {}).get("notice", "") if isinstance(report.get("city"), dict) else ""
    lines += ["<p><i>{}</i></p>".format(html.escape(text)) for text in (notice, words("no_approval")) if text]
    return "\n".join(lines)


def _finding(one, titles):
    facts = []
    if one.get("area_m2"):
        facts.append("{:,.0f} ㎡".format(one["area_m2"]))
    if one.get("length_m"):
        facts.append("{:,.1f} m".format(one["length_m"]))
    if one.get("feature_name"):
        facts.append(str(one["feature_name"]))
    head = "<b>{}</b> {}".format(html.escape(titles.get(one["rule"], one["rule"])), html.escape(str(one["state"])))
    more = " ".join(filter(None, [", ".join(facts), str(one.get("procedure") or "")]))
    return "<p>{}<br>{}</p>".format(head, html.escape(more))
