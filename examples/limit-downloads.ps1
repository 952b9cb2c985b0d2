#Requires -Version 7.6
#Requires -Modules ProxyShell
<#
.SYNOPSIS
Watches the connections of jobs and ends those that brought more than so many bytes, until it is stopped with Ctrl+C.
.EXAMPLE
./limit-downloads.ps1 -Job web -MaxBytes 1GB
#>
param(
    [Parameter(Mandatory)] [object[]] $Job,
    [long] $MaxBytes = 1GB,
    [double] $EverySeconds = 2,
    # for tests: look so many times, then end
    [int] $Rounds = [int]::MaxValue
)

for ($round = 1; $round -le $Rounds; $round++) {
    foreach ($connection in Get-ProxyConnection -Job $Job | Where-Object BytesReceived -GT $MaxBytes) {
        $connection | Stop-ProxyConnection
        '{0:HH:mm:ss} ended {1}: {2} had brought {3:N0} MB from {4}' -f (Get-Date), $connection.Id, $connection.Client, ($connection.BytesReceived / 1MB), $connection.Destination
    }
    if ($round -lt $Rounds) { Start-Sleep -Seconds $EverySeconds }
}
