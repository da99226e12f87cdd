#!/bin/sh
# Installs lzgis without a network: environment, command, entry on the desktop. Argument: folder (optional).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/lzgis}
commands=${LZGIS_BIN:-$HOME/.local/bin}
python=
for one in python@PYTHON@ python3 python; do
    if "$one" -c 'import sys; sys.exit(sys.version_info[:2] != (@PYTHON_TUPLE@))' >/dev/null 2>&1; then
        python=$one
        break
    fi
done
if [ -z "$python" ]; then
    echo "没有找到 Python @PYTHON@，请先安装。 Python @PYTHON@ was not found; install it first." >&2
    exit 1
fi
echo "安装到 $target ..."
unset PYTHONHOME PYTHONPATH PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CONSTRAINT PIP_REQUIRE_VIRTUALENV 2>/dev/null || true
# The environment of before is there until the new one runs.
restore() {
    rm -rf "$target/env"
    if [ -d "$target/env.old" ]; then mv "$target/env.old" "$target/env"; fi
    echo "没有安装，原有的安装未改变。 Not installed; what was installed before is unchanged." >&2
}
rm -rf "$target/env.old"
if [ -d "$target/env" ]; then mv "$target/env" "$target/env.old"; fi
trap restore EXIT
trap 'exit 1' INT TERM
"$python" -m venv "$target/env"
# No settings of pip: they may name an index, and nothing but the wheels beside this file is installed.
PIP_CONFIG_FILE=/dev/null "$target/env/bin/python" -m pip --isolated install --no-index --find-links "$here/wheels" \
    --require-hashes --only-binary :all: --disable-pip-version-check -q -r "$here/requirements.txt"
"$target/env/bin/lzgis" layers >/dev/null || [ $? = 2 ]
trap - EXIT INT TERM
rm -rf "$target/env.old"
mkdir -p "$commands"
ln -sf "$target/env/bin/lzgis" "$commands/lzgis"
cp "$here/uninstall.sh" "$target/uninstall.sh"
desktop=${XDG_DESKTOP_DIR:-$HOME/Desktop}
if ! "$target/env/bin/lzgis" serve --help >/dev/null 2>&1; then
    echo "此版本没有网页，未建立桌面图标。 This version has no page; no desktop entry was made."
elif [ -d "$desktop" ]; then
    printf '[Desktop Entry]\nType=Application\nName=lzgis\nExec="%s" serve\nTerminal=true\n' "$target/env/bin/lzgis" >"$desktop/lzgis.desktop"
    chmod +x "$desktop/lzgis.desktop"
fi
echo "完成：$commands/lzgis。 Done."
case ":$PATH:" in
*":$commands:"*) ;;
*) echo "请将 $commands 加入 PATH。 Add it to PATH." ;;
esac
