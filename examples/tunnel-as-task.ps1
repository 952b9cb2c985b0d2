#Requires -Version 7.6
<#
.SYNOPSIS
Makes a gateway of tunnels, or the agents of this machine, a scheduled task of Windows that runs from its start on.
.DESCRIPTION
The task runs the program proxyshell with a configuration file such as tunnel-gateway.json or tunnel-agent.json, as an account without rights of its
own (LOCAL SERVICE), without a time limit, and starts it again a minute after it has ended for whatever reason. An agent's key file has to be readable for
that account: the script lets it read the folder of the configuration file, and nobody but administrators besides.
.EXAMPLE
./tunnel-as-task.ps1 -ConfigurationFile C:\ProgramData\ProxyShell\tunnel-gateway.json -TaskName 'Tunnel gateway'
.EXAMPLE
./tunnel-as-task.ps1 -ConfigurationFile C:\ProgramData\ProxyShell\tunnel-agent.json -TaskName 'Tunnel agent'
.EXAMPLE
./tunnel-as-task.ps1 -TaskName 'Tunnel agent' -Unregister
#>
[CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'Register')]
param(
    [Parameter(Mandatory, ParameterSetName = 'Register')]
    [string] $ConfigurationFile,

    [Parameter(Mandatory)]
    [string] $TaskName,

    [Parameter(ParameterSetName = 'Register')]
    [string] $Program = 'C:\Program Files\ProxyShell\proxyshell.exe',

    [Parameter(Mandatory, ParameterSetName = 'Unregister')]
    [switch] $Unregister
)
$ErrorActionPreference = 'Stop'

if (-not (Get-Command Register-ScheduledTask -ErrorAction Ignore)) { throw 'This machine has no Task Scheduler; on Linux, tunnel-gateway.service and tunnel-agent.service do the same.' }

if ($Unregister) {
    if (-not $PSCmdlet.ShouldProcess($TaskName, 'Stop and unregister the task')) { return }
    Stop-ScheduledTask -TaskName $TaskName
    Unregister-ScheduledTask -TaskName $TaskName -Confirm:$false
    return
}

$ConfigurationFile = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($ConfigurationFile)
$folder = Split-Path $ConfigurationFile
# faults are told here, not in the history of a task
& $Program run --check --config $ConfigurationFile
if ($LASTEXITCODE -ne 0) { throw "'$ConfigurationFile' cannot be run; see above." }
if (-not $PSCmdlet.ShouldProcess($TaskName, "Run '$ConfigurationFile' from the start of this machine on")) { return }

# well-known identifiers, because the accounts' names are translated: administrators, SYSTEM, LOCAL SERVICE
& icacls $folder /inheritance:r /grant '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' '*S-1-5-19:(OI)(CI)M' | Out-Null
if ($LASTEXITCODE -ne 0) { throw "The rights of '$folder' could not be set." }

$task = @{
    TaskName    = $TaskName
    Description = "proxyshell run --config $ConfigurationFile"
    Action      = New-ScheduledTaskAction -Execute $Program -Argument "run --config `"$ConfigurationFile`"" -WorkingDirectory $folder
    Trigger     = New-ScheduledTaskTrigger -AtStartup
    Principal   = New-ScheduledTaskPrincipal -UserId 'S-1-5-19' -LogonType ServiceAccount -RunLevel Limited
    Settings    = New-ScheduledTaskSettingsSet -ExecutionTimeLimit 0 -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -MultipleInstances IgnoreNew `
        -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -StartWhenAvailable
}
$null = Register-ScheduledTask @task -Force
Start-ScheduledTask -TaskName $TaskName
Get-ScheduledTask -TaskName $TaskName
