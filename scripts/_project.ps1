<#
.SYNOPSIS
    What the scripts for Windows share: where the project is, its interpreter, and the language of the reader.
.DESCRIPTION
    Not to be called: the other scripts load it. For Windows PowerShell 5.1 and PowerShell 7.
#>

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2.0

$Root = Split-Path -Parent $PSScriptRoot

function Get-Said {
    # English, or Korean where COLLECTOR_LANG says ko.
    param([string] $English, [string] $Korean)
    if ($env:COLLECTOR_LANG -eq 'ko') { return $Korean }
    return $English
}

function Find-Python {
    # The interpreter of the environment that start.py made; $null where there is none yet.
    $found = Join-Path $Root '.venv\Scripts\python.exe'
    if (Test-Path -LiteralPath $found -PathType Leaf) { return $found }
    return $null
}

function Write-NoEnvironment {
    Write-Host (Get-Said `
        "There is no environment in $Root\.venv yet. Make it first: py scripts\start.py" `
        "$Root\.venv 환경이 아직 없습니다. 먼저 만드세요: py scripts\start.py")
}
