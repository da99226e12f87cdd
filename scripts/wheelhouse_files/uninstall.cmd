@echo off
rem Removes what install.cmd installed: this folder's installation, else the usual one. City folders, results and accounts stay.
chcp 65001 >nul
setlocal DisableDelayedExpansion
set "TARGET=%LOCALAPPDATA%\lzgis"
if exist "%~dp0env" for %%I in ("%~dp0.") do set "TARGET=%%~fI"
if not "%~1"=="" set "TARGET=%~f1"
if exist "%TARGET%\env" ren "%TARGET%\env" env.old
if exist "%TARGET%\env" (
    echo lzgis 正在使用，请先关闭网页和命令窗口。 lzgis is in use; close its page and consoles first.
    pause
    exit /b 1
)
powershell -NoProfile -ExecutionPolicy Bypass -Command "$b = $env:TARGET + '\bin'; $k = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true); $p = @(([string]$k.GetValue('Path', '', 'DoNotExpandEnvironmentNames')) -split ';' | Where-Object {$_}); if ($p -contains $b) { $k.SetValue('Path', (@($p | Where-Object {$_ -ne $b}) -join ';'), 'ExpandString'); [Environment]::SetEnvironmentVariable('LZGIS_INSTALLED', $null, 'User') }; Remove-Item ([Environment]::GetFolderPath('Desktop') + '\lzgis.lnk') -ErrorAction SilentlyContinue"
if exist "%TARGET%\env.old" rmdir /s /q "%TARGET%\env.old"
if exist "%TARGET%\bin" rmdir /s /q "%TARGET%\bin"
echo 已卸载。 Uninstalled.
pause
