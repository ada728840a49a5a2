<#
.SYNOPSIS
    Removes the daily collections from Windows Task Scheduler.
.DESCRIPTION
    Calls "collect.py schedule remove" with the interpreter of the project's environment. What was collected
    stays. Where nothing is registered there is nothing to do, and that is no error.
    Exit codes: 0 nothing is registered any more; 1 Task Scheduler refused; 2 there is no environment, or a
    setting is not usable.
.PARAMETER WhatIf
    Prints what would be removed and changes nothing.
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File scripts\unregister_daily_collector.ps1
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File scripts\unregister_daily_collector.ps1 -WhatIf
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param()

. (Join-Path $PSScriptRoot '_project.ps1')

$python = Find-Python
if (-not $python) {
    Write-NoEnvironment
    exit 2
}
$words = @('-X', 'utf8', (Join-Path $Root 'collect.py'), 'schedule', 'remove')
if (-not $PSCmdlet.ShouldProcess('Windows Task Scheduler', 'collect.py schedule remove')) {
    $words += '--print'
}
Write-Verbose "$python $words"
& $python @words
exit $LASTEXITCODE
