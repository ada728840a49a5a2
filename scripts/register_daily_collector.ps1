<#
.SYNOPSIS
    Registers the daily collections in Windows Task Scheduler.
.DESCRIPTION
    Calls "collect.py schedule install" with the interpreter of the project's environment. What is registered,
    at which times and in which time zone, comes from the settings (COLLECTOR_SCHEDULE, COLLECTOR_TIMEZONE).
    Registering twice leaves what registering once does. Nothing has to be run as administrator.
    Exit codes: 0 registered; 1 Task Scheduler refused; 2 there is no environment, or a setting is not usable.
.PARAMETER WhatIf
    Prints the definitions that would be registered and changes nothing.
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File scripts\register_daily_collector.ps1
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File scripts\register_daily_collector.ps1 -WhatIf
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param()

. (Join-Path $PSScriptRoot '_project.ps1')

$python = Find-Python
if (-not $python) {
    Write-NoEnvironment
    exit 2
}
$words = @('-X', 'utf8', (Join-Path $Root 'collect.py'), 'schedule', 'install')
if (-not $PSCmdlet.ShouldProcess('Windows Task Scheduler', 'collect.py schedule install')) {
    $words += '--print'
}
Write-Verbose "$python $words"
& $python @words
exit $LASTEXITCODE
