#Requires -Version 7.6
#Requires -Modules ProxyShell
<#
.SYNOPSIS
Runs ssh to a machine behind a chain; all further arguments go to ssh.
.DESCRIPTION
ssh connects to a local port, so it is told to check and keep the host key under the machine's real name.
.EXAMPLE
./ssh-through-chain.ps1 -Chain relay://gate:4101, relay://inner:4101 -Key (Get-Secret proxy-key) -Machine db.internal -l admin uptime
#>
# what is not a parameter here is ssh's
[CmdletBinding(PositionalBinding = $false)]
param(
    [Parameter(Mandatory)] [string[]] $Chain,
    [Parameter(Mandatory)] [string] $Machine,
    [object] $Key,
    [int] $Port = 22,
    [Parameter(ValueFromRemainingArguments)] [string[]] $SshArguments
)
$ErrorActionPreference = 'Stop'

$with = if ($Key) { @{ Key = $Key } } else { @{} }
$way = $Chain | New-ProxyChain @with
$null = Test-ProxyChain $way -Destination "${Machine}:$Port"
$listener = Start-AccessListener -Destination "${Machine}:$Port" -Chain $way -StopTimeout 0
try {
    # options come first, what is to be run there last: ssh [options] host [command]
    $options = '-p', $listener.LocalPort, '-o', "HostKeyAlias=$Machine", '-o', 'CheckHostIP=no'
    if ($SshArguments.Count -ge 2 -and $SshArguments[0] -eq '-l') {
        $options += '-l', $SshArguments[1]
        $SshArguments = $SshArguments | Select-Object -Skip 2
    }
    & ssh @options 127.0.0.1 @SshArguments
    exit $LASTEXITCODE
}
finally {
    $listener | Remove-Job -Force
}
