#Requires -Version 7.6
#Requires -Modules ProxyShell
<#
.SYNOPSIS
Listens until it is told to end, and logs events as lines of JSON; for systemd, cron @reboot or a scheduled task.
.DESCRIPTION
The key comes from the environment variable PROXY_KEY, so that it is in no command line. The script ends when the job ends, or
when its stop file appears; then open connections get the grace time to finish.
.EXAMPLE
PROXY_KEY=$(cat /etc/proxyshell.key) pwsh -File listener-as-task.ps1 -LocalAddress 0.0.0.0 -LocalPort 4101 -LogFile /var/log/proxyshell.jsonl
#>
param(
    [string] $LocalAddress = '127.0.0.1',
    [int] $LocalPort = 4101,
    [string[]] $AllowDestination,
    [string] $LogFile = 'proxyshell.jsonl',
    [string] $StopFile = 'proxyshell.stop',
    [double] $StopTimeout = 30
)
$ErrorActionPreference = 'Stop'

# the action below runs wherever the session is by then
$LogFile = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($LogFile)
$options = @{ LocalAddress = $LocalAddress; LocalPort = $LocalPort; StopTimeout = $StopTimeout }
if ($env:PROXY_KEY) { $options.Key = New-ProxyKey -Text $env:PROXY_KEY }
if ($AllowDestination) { $options.AllowDestination = $AllowDestination }
$job = Start-ProxyServer @options
$log = Register-ObjectEvent $job EventWritten -MessageData $LogFile -Action {
    $item = $EventArgs.ProxyEvent
    [ordered]@{ time = $item.Time.ToString('o'); kind = "$($item.Kind)"; reason = "$($item.Reason)"; client = $item.Client; destination = $item.Destination; message = $item.Message; sent = $item.BytesSent; received = $item.BytesReceived } |
        ConvertTo-Json -Compress | Add-Content $Event.MessageData
}
"listening: $($job.Uri)"
try {
    # Wait-Event lets the log's action run, which a bare wait would not
    while ($job.State -eq 'Running' -and -not (Test-Path $StopFile)) { $null = Wait-Event -SourceIdentifier proxyshell.never -Timeout 1 }
}
finally {
    $job | Stop-Job
    # the last events are still on their way to the log
    $null = Wait-Event -SourceIdentifier proxyshell.never -Timeout 1
    $log | Remove-Job -Force
    "ended: $($job.StatusMessage), $($job.AcceptedConnections) connections served"
    $job | Remove-Job -Force
}
