@echo off
rem Installs lzgis without a network: environment, command, shortcut on the desktop. Argument: folder (optional).
chcp 65001 >nul
setlocal
set "HERE=%~dp0"
set "TARGET=%~1"
if "%TARGET%"=="" set "TARGET=%LOCALAPPDATA%\lzgis"
set "PY="
py -@PYTHON@ -c "" >nul 2>nul && set "PY=py -@PYTHON@"
if "%PY%"=="" python -c "import sys; sys.exit(sys.version_info[:2] != (@PYTHON_TUPLE@))" >nul 2>nul && set "PY=python"
if "%PY%"=="" (
    echo 没有找到 Python @PYTHON@，请先安装。 Python @PYTHON@ was not found; install it first.
    exit /b 1
)
echo 安装到 %TARGET% ...
%PY% -m venv --clear "%TARGET%\env" || exit /b 1
"%TARGET%\env\Scripts\python.exe" -m pip install --no-index --find-links "%HERE%wheels" --require-hashes --only-binary :all: ^
    --no-warn-script-location --disable-pip-version-check -q -r "%HERE%requirements.txt" || exit /b 1
if not exist "%TARGET%\bin" mkdir "%TARGET%\bin"
> "%TARGET%\bin\lzgis.cmd" echo @"%TARGET%\env\Scripts\lzgis.exe" %%*
copy /y "%HERE%uninstall.cmd" "%TARGET%\uninstall.cmd" >nul
powershell -NoProfile -ExecutionPolicy Bypass -Command "$b='%TARGET%\bin'; $p=[Environment]::GetEnvironmentVariable('Path','User'); if (-not (($p -split ';') -contains $b)) { [Environment]::SetEnvironmentVariable('Path', (($p,$b | Where-Object {$_}) -join ';'), 'User') }"
"%TARGET%\env\Scripts\lzgis.exe" serve --help >nul 2>nul
if errorlevel 1 (
    echo 此版本没有网页，未建立桌面快捷方式。 This version has no page; no shortcut was made.
) else (
    powershell -NoProfile -ExecutionPolicy Bypass -Command "$s=(New-Object -ComObject WScript.Shell).CreateShortcut([Environment]::GetFolderPath('Desktop')+'\lzgis.lnk'); $s.TargetPath='%TARGET%\env\Scripts\lzgis.exe'; $s.Arguments='serve'; $s.WorkingDirectory=[Environment]::GetFolderPath('MyDocuments'); $s.Save()"
)
"%TARGET%\env\Scripts\lzgis.exe" layers >nul || (
    echo 安装后不能运行。 The installed command does not run.
    exit /b 1
)
echo 完成。新开的命令窗口中可用 lzgis。 Done: lzgis works in new consoles.
