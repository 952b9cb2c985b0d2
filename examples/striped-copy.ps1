#Requires -Version 7.6
#Requires -Modules ProxyShell
<#
.SYNOPSIS
Copies a file over two limited ways at once.
.DESCRIPTION
Two proxy servers on this machine stand for two ways, each with a bandwidth limit. The file is sent over one of them, then over a striped pipe that spreads its
stripes over both; the table shows what that brings, and the stripes show what each of them carried.

Between two machines the far end (New-StripedPipe -Accept) runs on the other one, with the key of the near end, and the ways are proxy servers of two providers:

    New-StripedPipe far.example:7000 2200 -Key $key -Chain relay://fibre.example:4100, relay://radio.example:4100
.EXAMPLE
./striped-copy.ps1 -Path big.iso -Destination copy.iso -Rate 20MB
#>
param(
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $Destination,
    # bytes per second of each way
    [ValidateRange(1000, 1TB)] [long] $Rate = 10MB
)
$ErrorActionPreference = 'Stop'

$source = (Get-Item $Path).FullName
$copy = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Destination)
$key = New-ProxyKey
$receiver = [Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
$receiver.Start()
$jobs = @()

# Sends the file to a port of this machine; the end of the stream arrives when the copy is complete.
function Send-File([int] $Port) {
    $receiving = Start-ThreadJob -ArgumentList $receiver, $copy -ScriptBlock {
        param($receiver, $copy)
        $client = $receiver.AcceptTcpClient()
        $file = [IO.File]::Create($copy)
        try { $client.GetStream().CopyTo($file) } finally { $file.Dispose(); $client.Dispose() }
    }
    $sender = [Net.Sockets.TcpClient]::new('127.0.0.1', $Port)
    $file = [IO.File]::OpenRead($source)
    try {
        $file.CopyTo($sender.GetStream())
        $sender.Client.Shutdown('Send')
        $receiving | Receive-Job -Wait -AutoRemoveJob
    }
    finally { $file.Dispose(); $sender.Dispose() }
}

try {
    $jobs += $fibre = Start-ProxyServer -Key $key -BandwidthLimit $Rate
    $jobs += $radio = Start-ProxyServer -Key $key -BandwidthLimit $Rate
    $jobs += $far = New-StripedPipe -Accept -Destination $receiver.LocalEndpoint -Key $key
    $jobs += $single = Start-AccessListener $receiver.LocalEndpoint -Chain $fibre
    $jobs += $pipe = New-StripedPipe $far -Chain $fibre, $radio -Name striped-copy

    $results = foreach ($way in $single, $pipe) {
        $took = Measure-Command { Send-File $way.LocalPort }
        [pscustomobject]@{
            Way       = $way.PSJobTypeName
            Seconds   = [math]::Round($took.TotalSeconds, 2)
            'MB/s'    = [math]::Round((Get-Item $source).Length / 1MB / $took.TotalSeconds, 1)
            Identical = (Get-FileHash $source).Hash -eq (Get-FileHash $copy).Hash
        }
    }
    $results | Format-Table
    Get-ProxyStripe $pipe | Format-Table
}
finally {
    $jobs | Remove-Job -Force
    $receiver.Stop()
}
