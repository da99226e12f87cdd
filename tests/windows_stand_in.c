/* Stands for py.exe, python.exe, lzgis.exe and powershell.exe when install.cmd is run by wine: writes its arguments into
   %STAND_IN_LOG%; "-m venv FOLDER" makes FOLDER\Scripts with copies of itself; arguments that hold %STAND_IN_FAIL% fail. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

static void copy_to(const wchar_t *folder, const wchar_t *name)
{
    wchar_t own[1024], made[1024];
    GetModuleFileNameW(NULL, own, 1024);
    _snwprintf(made, 1024, L"%s\\%s", folder, name);
    CopyFileW(own, made, FALSE);
}

int wmain(int count, wchar_t **words)
{
    wchar_t all[8192] = L"", folder[1024];
    char text[16384];
    const wchar_t *fail = _wgetenv(L"STAND_IN_FAIL");
    FILE *log = _wfopen(_wgetenv(L"STAND_IN_LOG"), L"ab");
    for (int i = 0; i < count; i++) {
        wcscat(all, i ? L"\x1f" : L"");
        wcscat(all, words[i]);
    }
    WideCharToMultiByte(CP_UTF8, 0, all, -1, text, sizeof text, NULL, NULL);
    fprintf(log, "%s\n", text);
    fclose(log);
    if (fail && *fail && wcsstr(all, fail)) return 1;
    for (int i = 1; i + 1 < count; i++)
        if (!wcscmp(words[i], L"venv")) {
            CreateDirectoryW(_wgetenv(L"TARGET"), NULL);
            CreateDirectoryW(words[i + 1], NULL);
            _snwprintf(folder, 1024, L"%s\\Scripts", words[i + 1]);
            CreateDirectoryW(folder, NULL);
            copy_to(folder, L"python.exe");
            copy_to(folder, L"lzgis.exe");
        }
    return 0;
}
