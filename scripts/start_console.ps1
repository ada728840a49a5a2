<#
.SYNOPSIS
    Starts the console where it does not run yet, waits until it answers, and says where.
.DESCRIPTION
    Asks /api/v1/healthz at the address of the settings (COLLECTOR_BIND, COLLECTOR_PORT; -Port for another port).
    Where our console answers it says so and does nothing; else it starts scripts\start.py without a window and
    without a browser, and waits.
    Exit codes: 0 the console answers (or the log-on start was changed); 1 it did not come up in time, ended,
    or Task Scheduler refused; 2 there is no environment, or the port is another program's.
.PARAMETER Port
    Port of the console.
.PARAMETER TimeoutSeconds
    How long to wait for the first answer.
.PARAMETER AtLogOn
    Registers this script to be run at every log-on of yours, instead of starting the console now.
.PARAMETER NotAtLogOn
    Takes that back; where it is not registered there is nothing to do.
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File scripts\start_console.ps1
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File scripts\start_console.ps1 -AtLogOn
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [ValidateRange(0, 65535)] [int] $Port = 0,
    [ValidateRange(1, 3600)] [int] $TimeoutSeconds = 180,
    [switch] $AtLogOn,
    [switch] $NotAtLogOn
)

. (Join-Path $PSScriptRoot '_project.ps1')

# A folder of its own: "schedule install" and "schedule remove" look after theirs.
$taskPath = '\Daily Data Collector Console\'
$taskName = 'At log-on'

function Get-Address {
    param([int] $Port)
    if ($bind.Contains(':')) { return "http://[$bind]:$Port" }
    return "http://${bind}:$Port"
}

function Get-Console {
    # 'ours', 'other' or 'none': who answers on the port.
    param([int] $Port)
    try {
        $answer = Invoke-RestMethod -Uri "$(Get-Address -Port $Port)/api/v1/healthz" -TimeoutSec 3
        if ($answer.app -eq 'daily-data-collector') { return 'ours' }
        return 'other'
    } catch {
        $family = [System.Net.Sockets.AddressFamily]::InterNetwork
        if ($bind.Contains(':')) { $family = [System.Net.Sockets.AddressFamily]::InterNetworkV6 }
        $client = New-Object System.Net.Sockets.TcpClient($family)
        try {
            $client.Connect($bind, $Port)
            return 'other'
        } catch {
            return 'none'
        } finally {
            $client.Close()
        }
    }
}

function Register-AtLogOn {
    $user = [System.Security.Principal.WindowsIdentity]::GetCurrent().Name
    $script = Join-Path $Root 'scripts\start_console.ps1'
    $arguments = "-NoProfile -ExecutionPolicy Bypass -WindowStyle Hidden -File `"$script`""
    if ($Port -gt 0) { $arguments += " -Port $Port" }
    $task = @{
        TaskName  = $taskName
        TaskPath  = $taskPath
        Action    = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments -WorkingDirectory $Root
        Trigger   = New-ScheduledTaskTrigger -AtLogOn -User $user
        Principal = New-ScheduledTaskPrincipal -UserId $user -LogonType Interactive -RunLevel Limited
        Settings  = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries `
            -MultipleInstances IgnoreNew -ExecutionTimeLimit (New-TimeSpan -Minutes 15)
    }
    Register-ScheduledTask @task -Force | Out-Null
    Write-Host (Get-Said 'The console starts at every log-on of yours.' '로그온할 때마다 콘솔이 시작됩니다.')
}

function Unregister-AtLogOn {
    $found = Get-ScheduledTask -TaskPath $taskPath -TaskName $taskName -ErrorAction SilentlyContinue
    if ($found) { Unregister-ScheduledTask -TaskPath $taskPath -TaskName $taskName -Confirm:$false }
    Write-Host (Get-Said 'The console does not start at log-on.' '로그온할 때 콘솔이 시작되지 않습니다.')
}

$python = Find-Python
if (-not $python) {
    Write-NoEnvironment
    exit 2
}
if ($AtLogOn -or $NotAtLogOn) {
    if ($PSCmdlet.ShouldProcess("$taskPath$taskName", 'Windows Task Scheduler')) {
        try {
            if ($AtLogOn) { Register-AtLogOn } else { Unregister-AtLogOn }
        } catch {
            Write-Host (Get-Said "Task Scheduler refused: $($_.Exception.Message)" `
                "작업 스케줄러가 거부했습니다: $($_.Exception.Message)")
            exit 1
        }
    }
    exit 0
}
Push-Location -LiteralPath $Root
try {
    $told = & $python -X utf8 -c 'from storage.settings import load; s = load(); print(s.bind, s.port)'
} finally {
    Pop-Location
}
if ($LASTEXITCODE -ne 0) { exit 2 }
$bind, $ours = ([string] $told).Split(' ')
if ($Port -eq 0) { $Port = [int] $ours }
$url = Get-Address -Port $Port
switch (Get-Console -Port $Port) {
    'ours' {
        Write-Host (Get-Said "The console already runs at $url" "콘솔이 이미 $url 에서 실행 중입니다")
        exit 0
    }
    'other' {
        Write-Host (Get-Said "Port $Port is another program's. Choose another one with -Port." `
            "$Port 포트는 다른 프로그램이 쓰고 있습니다. -Port 로 다른 포트를 고르세요.")
        exit 2
    }
}
if (-not $PSCmdlet.ShouldProcess($url, 'scripts\start.py')) { exit 0 }
$start = Join-Path $Root 'scripts\start.py'
$words = @('-X', 'utf8', "`"$start`"", '--no-browser', '--port', "$Port")
Write-Verbose "$python $words"
$process = Start-Process -FilePath $python -ArgumentList $words -WorkingDirectory $Root `
    -WindowStyle Hidden -PassThru
$until = (Get-Date).AddSeconds($TimeoutSeconds)
while ((Get-Date) -lt $until) {
    if ((Get-Console -Port $Port) -eq 'ours') {
        Write-Host (Get-Said "The console runs at $url" "콘솔이 $url 에서 실행됩니다")
        exit 0
    }
    if ($process.HasExited) {
        Write-Host (Get-Said "The console ended. See why: py scripts\start.py --port $Port" `
            "콘솔이 종료되었습니다. 이유를 보려면: py scripts\start.py --port $Port")
        exit 1
    }
    Start-Sleep -Milliseconds 500
}
Write-Host (Get-Said "The console did not answer within $TimeoutSeconds seconds." `
    "콘솔이 $TimeoutSeconds 초 안에 응답하지 않았습니다.")
exit 1
