#Requires -Version 7.6
#Requires -Modules ProxyShell
<#
.SYNOPSIS
Publishes a service at a gateway and shows its requests as they come, until Ctrl+C or as many as are asked for.
.DESCRIPTION
Without -Gateway, a gateway of this machine's own is started, to try things with. Only a gateway of one's own knows the requests; of others the connections are shown. However the
script ends, the tunnel is withdrawn: requests under way may finish.
.EXAMPLE
./share-service.ps1 http://127.0.0.1:8080 -HostName demo
.EXAMPLE
./share-service.ps1 tcp://127.0.0.1:22 -Gateway tunnels://gateway.example:4443 -Token (Read-Host -AsSecureString)
#>
param(
    [Parameter(Mandatory)] [string] $Service,
    [string] $Gateway,
    [string] $HostName,
    [securestring] $Token,
    [int] $Count = [int]::MaxValue
)
$ErrorActionPreference = 'Stop'

$jobs = @()
try {
    $options = @{ Destination = $Service }
    if ($HostName) { $options.HostName = $HostName }
    if ($Token) { $options.Token = $Token }
    if ($Gateway) { $options.Gateway = $Gateway }
    else { $jobs += $options.Gateway = Start-TunnelGateway -HttpPort 0 -TcpPortRange 30000-32000 }
    $jobs += $tunnel = Register-Tunnel @options
    $watched = if ($Gateway) { $tunnel } else { $options.Gateway }
    $kind = if ($Gateway -or $Service -notlike 'http*') { 'Closed', 'Failed' } else { 'HttpRequest' }
    $null = Register-ObjectEvent $watched EventWritten -SourceIdentifier share.service
    "$($tunnel.Url) leads to $Service"
    for ($shown = 0; $shown -lt $Count) {
        $written = Wait-Event -SourceIdentifier share.service
        $item = $written.SourceEventArgs.ProxyEvent
        $written | Remove-Event
        if ($item.Kind -in $kind) { $shown++; "$($item.Time.ToLocalTime().ToString('HH:mm:ss')) $($item.Client) $($item.Request ?? $item.Message)" }
    }
}
finally {
    Unregister-Event share.service -ErrorAction Ignore
    Get-Event -SourceIdentifier share.service -ErrorAction Ignore | Remove-Event
    # the tunnel leaves before its gateway
    [array]::Reverse($jobs)
    $jobs | Stop-Job
    $jobs | Remove-Job -Force
}
