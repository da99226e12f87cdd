@echo off
rem Removes what install.cmd installed. City folders, results and accounts stay.
chcp 65001 >nul
setlocal
set "TARGET=%~1"
if "%TARGET%"=="" set "TARGET=%LOCALAPPDATA%\lzgis"
powershell -NoProfile -ExecutionPolicy Bypass -Command "$b='%TARGET%\bin'; $p=[Environment]::GetEnvironmentVariable('Path','User'); [Environment]::SetEnvironmentVariable('Path', (($p -split ';' | Where-Object {$_ -and $_ -ne $b}) -join ';'), 'User'); Remove-Item ([Environment]::GetFolderPath('Desktop')+'\lzgis.lnk') -ErrorAction SilentlyContinue"
if exist "%TARGET%\env" rmdir /s /q "%TARGET%\env"
if exist "%TARGET%\bin" rmdir /s /q "%TARGET%\bin"
echo 已卸载。 Uninstalled.
