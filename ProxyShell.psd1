@{
    RootModule           = 'ProxyShell.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = 'b3c1f0a4-6d0e-4c53-9b1a-2f7d4f6e9c11'
    Author               = 'ProxyShell contributors'
    CompanyName          = 'ProxyShell contributors'
    Copyright            = '(c) ProxyShell contributors. MIT licence.'
    Description          = 'Scriptable proxies: build chains of proxy servers, open listeners, publish services behind NAT and watch their connections as ordinary pipeline objects and jobs.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('ProxyShell.format.ps1xml')
    TypesToProcess       = @('ProxyShell.types.ps1xml')
    CmdletsToExport      = @(
        'Add-ProxyHop'
        'Get-ProxyChainHealth'
        'Get-ProxyConnection'
        'Get-ProxyEvent'
        'Get-ProxySession'
        'Get-ProxyStripe'
        'Get-Tunnel'
        'New-ProxyChain'
        'New-ProxyHop'
        'New-ProxyKey'
        'New-ProxyRule'
        'New-StripedPipe'
        'New-TunnelIdentity'
        'Register-Tunnel'
        'Set-AccessListener'
        'Set-ProxyServer'
        'Set-StripedPipe'
        'Set-TunnelGateway'
        'Start-AccessListener'
        'Start-ProxyServer'
        'Start-TunnelGateway'
        'Stop-ProxyConnection'
        'Stop-ProxySession'
        'Stop-Tunnel'
        'Test-ProxyChain'
        'Unregister-Tunnel'
        'Use-ProxyChain'
    )
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    PrivateData          = @{
        PSData = @{
            Tags       = @('Proxy', 'Tunnel', 'SOCKS', 'Relay', 'Network', 'PSEdition_Core', 'Linux', 'Windows', 'MacOS')
            LicenseUri = 'https://opensource.org/license/mit'
        }
    }
}
