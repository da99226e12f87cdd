@echo off
rem Installs lzgis without a network: environment, command, shortcut on the desktop. Argument: folder (optional).
rem Unattended: install.cmd ^< nul. PowerShell gets paths through the environment, so that no sign in them is read as a command.
chcp 65001 >nul
setlocal DisableDelayedExpansion
set "HERE=%~dp0"
set "TARGET=%LOCALAPPDATA%\lzgis"
if not "%~1"=="" set "TARGET=%~f1"
rem Settings of Python and pip may name other packages or an index: nothing but the wheels beside this file is installed.
set "PYTHONHOME="
set "PYTHONPATH="
set "PIP_CONFIG_FILE=nul"
set "CHECK=import sys; sys.exit(sys.version_info[:2] != (@PYTHON_TUPLE@) or sys.maxsize < 2**32)"
set "PY="
py -@PYTHON@ -c "%CHECK%" >nul 2>nul
if %ERRORLEVEL%==0 set "PY=py -@PYTHON@"
if defined PY goto found
python -c "%CHECK%" >nul 2>nul
if %ERRORLEVEL%==0 set "PY=python"
if defined PY goto found
echo 没有找到 64 位的 Python @PYTHON@，请先安装。 Python @PYTHON@, 64 bit, was not found; install it first.
goto failed

:found
echo 安装到 "%TARGET%" ...
rem The environment of before is there until the new one runs.
if exist "%TARGET%\env.old" rmdir /s /q "%TARGET%\env.old"
if exist "%TARGET%\env" ren "%TARGET%\env" env.old
if exist "%TARGET%\env" (
    echo lzgis 正在使用，请先关闭网页和命令窗口。 lzgis is in use; close its page and consoles first.
    goto failed
)
%PY% -m venv "%TARGET%\env"
if not %ERRORLEVEL%==0 goto restore
"%TARGET%\env\Scripts\python.exe" -m pip --isolated install --no-index --find-links "%HERE%wheels" --require-hashes ^
    --only-binary :all: --no-warn-script-location --disable-pip-version-check -q -r "%HERE%requirements.txt"
if not %ERRORLEVEL%==0 goto restore
"%TARGET%\env\Scripts\lzgis.exe" layers >nul
rem 0 and 2 are answers.
if not %ERRORLEVEL%==0 if not %ERRORLEVEL%==2 (
    echo 安装后不能运行。 The installed command does not run.
    goto restore
)
if exist "%TARGET%\env.old" rmdir /s /q "%TARGET%\env.old"
if not exist "%TARGET%\bin" mkdir "%TARGET%\bin"
rem Without a path: the file is read in the code page of each console.
> "%TARGET%\bin\lzgis.cmd" echo @"%%~dp0..\env\Scripts\lzgis.exe" %%*
copy /y "%HERE%uninstall.cmd" "%TARGET%\uninstall.cmd" >nul
powershell -NoProfile -ExecutionPolicy Bypass -Command "$b = $env:TARGET + '\bin'; $k = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true); $p = @(([string]$k.GetValue('Path', '', 'DoNotExpandEnvironmentNames')) -split ';' | Where-Object {$_}); if ($p -notcontains $b) { $k.SetValue('Path', (($p + $b) -join ';'), 'ExpandString'); [Environment]::SetEnvironmentVariable('LZGIS_INSTALLED', $null, 'User') }"
if not %ERRORLEVEL%==0 echo 请将 "%TARGET%\bin" 加入 PATH。 Add it to PATH.
"%TARGET%\env\Scripts\lzgis.exe" serve --help >nul 2>nul && powershell -NoProfile -ExecutionPolicy Bypass -Command "$s = (New-Object -ComObject WScript.Shell).CreateShortcut([Environment]::GetFolderPath('Desktop') + '\lzgis.lnk'); $s.TargetPath = $env:TARGET + '\env\Scripts\lzgis.exe'; $s.Arguments = 'serve'; $s.WorkingDirectory = [Environment]::GetFolderPath('MyDocuments'); $s.Save()"
echo 完成。新开的命令窗口中可用 lzgis。 Done: lzgis works in new consoles.
pause
exit /b 0

:restore
if exist "%TARGET%\env" rmdir /s /q "%TARGET%\env"
if exist "%TARGET%\env.old" ren "%TARGET%\env.old" env

:failed
echo 没有安装，原有的安装未改变。 Not installed; what was installed before is unchanged.
pause
exit /b 1
