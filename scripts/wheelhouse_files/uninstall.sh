#!/bin/sh
# Removes what install.sh installed. City folders, results and accounts stay.
set -eu
target=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/lzgis}
commands=${LZGIS_BIN:-$HOME/.local/bin}
if [ "$(readlink "$commands/lzgis" 2>/dev/null || true)" = "$target/env/bin/lzgis" ]; then rm -f "$commands/lzgis"; fi
rm -f "${XDG_DESKTOP_DIR:-$HOME/Desktop}/lzgis.desktop"
rm -rf "$target/env" "$target/uninstall.sh"
echo "已卸载。 Uninstalled."
