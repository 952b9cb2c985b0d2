# Dot-sourced by every suite: the module under test, the peers and the words the tests share.

$modulePath = if ($env:PROXYSHELL_MODULE) { $env:PROXYSHELL_MODULE } else { Join-Path $PSScriptRoot .. .. out ProxyShell }
Import-Module $modulePath
if (-not ('ProxyShellTests.Origin' -as [type])) { Add-Type -Path (Join-Path $PSScriptRoot Peers.cs) }

# The job types of the module: how to start one that serves $origin, and the port that leads to the origin through it.
function Start-TestJob([string] $Type, [string] $Destination, [hashtable] $With = @{}) {
    switch ($Type) {
        'ProxyServer' { Start-ProxyServer @With }
        'AccessListener' { Start-AccessListener -Destination $Destination @With }
        'StripedPipe' { New-StripedPipe (New-StripedPipe -Accept $Destination -StopTimeout 0) @With }
    }
}

# A port through which a plain client reaches the destination by way of the job.
function Get-EntryPort($Job, [string] $Destination) {
    if ($Job.PSJobTypeName -eq 'ProxyServer') { (Start-AccessListener -Destination $Destination -Chain $Job -StopTimeout 0).LocalPort } else { $Job.LocalPort }
}

# Looks again and again until the condition holds; fails with its text after the time.
function Wait-Until([scriptblock] $Condition, [double] $Within = 10) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($clock.Elapsed.TotalSeconds -gt $Within) { throw "not within $Within s: $Condition" }
        [Threading.Thread]::Sleep(10)
    }
}

function Test-Listening([int] $Port) {
    $client = [Net.Sockets.TcpClient]::new()
    try { $client.Connect([ipaddress]::Loopback, $Port); $true } catch { $false } finally { $client.Dispose() }
}

# A port of this machine on which nobody listens.
function Get-ClosedPort {
    $listener = [Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
    $listener.Start()
    $port = $listener.LocalEndpoint.Port
    $listener.Stop()
    $port
}

function Remove-AllProxyJobs {
    Get-Job | Where-Object { $_ -is [ProxyShell.Jobs.ProxyJob] } | ForEach-Object { $_.StopJob($true, 'test over'); $_ } | Remove-Job
}

# What a user would see of something, in every view.
function Show-Everything($Object) {
    $Object | Out-String -Width 500
    $Object | Format-List * -Force | Out-String -Width 500
    $Object | Format-Table * -Force | Out-String -Width 500
    $Object | ConvertTo-Json -Depth 4 -WarningAction Ignore
    $Object | ConvertTo-Csv
    [Management.Automation.PSSerializer]::Serialize($Object)
    "$Object"
}
