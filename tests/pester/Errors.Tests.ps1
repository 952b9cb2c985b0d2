# Every error that the cmdlets can write: its id, its category and its target. The last test says that none is missing here.

BeforeDiscovery {
    # the reasons that travel in answers of hops (docs/protocols/relay.md)
    $reasons = @(
        @{ Number = 1; Id = 'ConnectionRefused'; Category = 'ConnectionError' }
        @{ Number = 2; Id = 'HostUnreachable'; Category = 'ConnectionError' }
        @{ Number = 3; Id = 'NetworkUnreachable'; Category = 'ConnectionError' }
        @{ Number = 4; Id = 'NameNotFound'; Category = 'ObjectNotFound' }
        @{ Number = 5; Id = 'TimedOut'; Category = 'ConnectionError' }
        @{ Number = 6; Id = 'Forbidden'; Category = 'PermissionDenied' }
        @{ Number = 7; Id = 'AuthenticationFailed'; Category = 'AuthenticationError' }
        @{ Number = 8; Id = 'Replayed'; Category = 'AuthenticationError' }
        @{ Number = 9; Id = 'ClockSkew'; Category = 'AuthenticationError' }
        @{ Number = 10; Id = 'ProtocolError'; Category = 'ProtocolError' }
        @{ Number = 11; Id = 'Unsupported'; Category = 'NotImplemented' }
        @{ Number = 12; Id = 'LimitExceeded'; Category = 'LimitsExceeded' }
        @{ Number = 13; Id = 'TlsFailed'; Category = 'SecurityError' }
        @{ Number = 14; Id = 'ConnectionReset'; Category = 'ConnectionError' }
        @{ Number = 15; Id = 'Stopping'; Category = 'ResourceUnavailable' }
        @{ Number = 16; Id = 'ResourceExhausted'; Category = 'ResourceUnavailable' }
        @{ Number = 17; Id = 'ConnectionClosed'; Category = 'ConnectionError' }
        @{ Number = 127; Id = 'Other'; Category = 'NotSpecified' }
    )
    $errors = @(
        @{ Command = 'New-ProxyKey -Text hunter2'; Id = 'InvalidKey'; Target = 'key' }
        @{ Command = 'New-ProxyHop relay://a:1 -Key hunter2'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyHop nonsense'; Id = 'InvalidHop'; Target = 'nonsense' }
        @{ Command = 'New-ProxyHop relay://hunter2@a:1'; Id = 'InvalidHop'; Target = 'relay://***@a:1' }
        @{ Command = 'New-ProxyHop -HostName a -Protocol Ssh -Tls'; Id = 'InvalidHop'; Target = 'a' }
        @{ Command = 'New-ProxyHop relays://a:1 -ClientCertificate ./missing.pfx'; Id = 'InvalidCertificate'; Target = './missing.pfx' }
        @{ Command = 'New-ProxyHop relay://a:1 -ClientCertificate $certificate'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyHop relay://a:1 -Thumbprint $("ab" * 32)'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyHop relays://a:1 -Thumbprint ab'; Id = 'InvalidHop'; Target = 'relays://a:1' }
        @{ Command = 'New-ProxyHop socks5://a -Key (New-ProxyKey)'; Id = 'InvalidHop'; Target = 'socks5://a' }
        @{ Command = 'New-ProxyHop relay://a:1 -Credential $credential'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyHop socks5://a -Multiplexed'; Id = 'InvalidHop'; Target = 'socks5://a' }
        @{ Command = 'New-ProxyHop relay://a:1 -MaxSessions 2'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyHop socks5://a -KeepAlive 5'; Id = 'InvalidHop'; Target = 'socks5://a' }
        @{ Command = 'New-ProxyHop relay+mux://a:1 -SessionIdleTimeout 0'; Id = 'InvalidHop'; Target = 'relay+mux://a:1' }
        @{ Command = 'New-ProxyHop "relay+mux://a:1?channels=0"'; Id = 'InvalidHop'; Target = 'relay+mux://a:1[?]channels=0' }
        @{ Command = 'New-ProxyChain socks5://a, http://b -Multiplexed'; Id = 'InvalidHop'; Target = 'socks5://a:1080 > http://b:80' }
        @{ Command = 'New-ProxyChain relay://a:1 -MaxChannels 5'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyChain relay://a:1 | Add-ProxyHop relay://b:1 -SessionIdleTimeout 5'; Id = 'InvalidHop'; Target = 'relay://b:1' }
        @{ Command = 'New-ProxyChain relay://a:1, nonsense'; Id = 'InvalidHop'; Target = 'nonsense' }
        @{ Command = 'New-ProxyChain $job'; Id = 'InvalidHop'; Target = 'web' }
        @{ Command = 'New-ProxyChain socks5://a -Key (New-ProxyKey)'; Id = 'InvalidHop'; Target = 'socks5://a:1080' }
        @{ Command = 'New-ProxyChain relay://a:1 -Credential $credential'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyChain relay://a:1 -ClientCertificate $certificate'; Id = 'InvalidHop'; Target = 'relay://a:1' }
        @{ Command = 'New-ProxyChain relays://a:1 -ClientCertificate nowhere.pem'; Id = 'InvalidCertificate'; Target = 'nowhere.pem' }
        @{ Command = 'New-ProxyChain relay://a:1 -PayloadKey hunter2'; Id = 'InvalidKey'; Target = 'key' }
        @{ Command = 'New-ProxyChain relay://a:1, socks5://b -PayloadKey (New-ProxyKey)'; Id = 'InvalidChain'; Target = 'relay://a:1 > socks5://b:1080' }
        @{ Command = 'New-ProxyChain relay://a:1 -Selection Random'; Id = 'InvalidChain'; Target = 'relay://a:1' }
        @{ Command = '@() | New-ProxyChain'; Id = 'InvalidChain'; Target = $null }
        @{ Command = 'New-ProxyChain relay://a:1 | Add-ProxyHop nonsense'; Id = 'InvalidHop'; Target = 'nonsense' }
        @{ Command = '"nonsense" | Add-ProxyHop relay://a:1'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'New-ProxyChain relay://a:1 | Add-ProxyHop relay://b:1 -Selection Random'; Id = 'InvalidChain'; Target = 'relay://b:1' }
        @{ Command = 'Test-ProxyChain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'Test-ProxyChain relay://a:1 -Destination nonsense'; Id = 'InvalidDestination'; Target = 'nonsense' }
        @{ Command = 'Test-ProxyChain relay://a:1 -Timeout 0'; Id = 'InvalidOption'; Target = '00:00:00' }
        @{ Command = 'Test-ProxyChain direct'; Id = 'NothingToTest'; Target = 'direct' }
        @{ Command = 'New-ProxyRule 10.0.0.0/99 -Block'; Id = 'InvalidDestinationPattern'; Target = '10.0.0.0/99' }
        @{ Command = 'New-ProxyRule a -Port 0-99999 -Block'; Id = 'InvalidPort'; Target = '0-99999' }
        @{ Command = 'New-ProxyRule a -Chain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'New-ProxyRule a -Chain direct'; Id = 'InvalidRule'; Target = 'direct' }
        @{ Command = 'Start-ProxyServer -Key hunter2'; Id = 'InvalidKey'; Target = 'key' }
        @{ Command = 'Start-ProxyServer -PayloadKey hunter2'; Id = 'InvalidKey'; Target = 'key' }
        @{ Command = 'Start-ProxyServer -Credential hunter2'; Id = 'InvalidCredential'; Target = 'credential' }
        @{ Command = 'Start-ProxyServer -Certificate ./missing.pfx'; Id = 'InvalidCertificate'; Target = './missing.pfx' }
        @{ Command = 'Start-ProxyServer -Certificate $bare'; Id = 'InvalidCertificate'; Target = 'CN=test' }
        @{ Command = 'Start-ProxyServer -Certificate $certificate -ClientCertificateThumbprint ab'; Id = 'InvalidThumbprint'; Target = 'ab' }
        @{ Command = 'Start-ProxyServer -Certificate $certificate -ClientCertificateAuthority ./missing.pem'; Id = 'InvalidCertificate'; Target = './missing.pem' }
        @{ Command = 'Start-ProxyServer -ClientCertificateAuthority $certificate'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-ProxyServer -AllowDestination 10.0.0.0/99'; Id = 'InvalidDestinationPattern'; Target = '10.0.0.0/99' }
        @{ Command = 'Start-ProxyServer -DenyDestination "::::"'; Id = 'InvalidDestinationPattern'; Target = '::::' }
        @{ Command = 'Start-ProxyServer -AllowSource here'; Id = 'InvalidSource'; Target = 'here' }
        @{ Command = 'Start-ProxyServer -Chain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'Start-ProxyServer -Rule @()'; Id = 'InvalidRule'; Target = '' }
        @{ Command = 'Start-ProxyServer -Rule (New-ProxyRule a -Direct) -Chain relay://a:1 -BlockByDefault'; Id = 'InvalidRule'; Target = 'relay://a:1' }
        @{ Command = 'Start-ProxyServer -ClockWindow 0'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-ProxyServer -SessionIdleTimeout 0'; Id = 'InvalidOption'; Target = '00:00:00' }
        @{ Command = 'Start-ProxyServer -Protocol Socks5 -MaxSessions 2'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-ProxyServer -Udp -AcceptProxyProtocol'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-ProxyServer -LocalAddress nowhere'; Id = 'InvalidOption'; Target = 'nowhere:0' }
        @{ Command = 'Start-ProxyServer -LocalAddress 192.0.2.1 -AllowAnonymous'; Id = 'AddressNotAvailable'; Category = 'ResourceUnavailable'; Target = '192.0.2.1:0' }
        @{ Command = 'Start-ProxyServer -LocalPort $job.LocalPort'; Id = 'AddressInUse'; Category = 'ResourceExists'; Target = '127.0.0.1:*' }
        @{ Command = 'Start-AccessListener nonsense'; Id = 'InvalidDestination'; Target = 'nonsense' }
        @{ Command = 'Start-AccessListener 127.0.0.1:80 -Protocol Http'; Id = 'InvalidProtocol'; Target = 'Http' }
        @{ Command = 'Start-AccessListener 127.0.0.1:80 -Protocol Udp -Certificate $certificate'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-AccessListener -DenySource 10.0.0.0/99'; Id = 'InvalidSource'; Target = '10.0.0.0/99' }
        @{ Command = 'Use-ProxyChain nonsense { }'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'Use-ProxyChain direct { } -ConnectTimeout 0'; Id = 'InvalidOption'; Target = 'direct' }
        @{ Command = 'Get-ProxyConnection nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Get-ProxyConnection 999999'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = '999999' }
        @{ Command = 'Get-ProxyEvent nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Get-ProxyChainHealth nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Set-ProxyServer nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Set-AccessListener nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Get-ProxyConnection -Id 999999'; Id = 'ConnectionNotFound'; Category = 'ObjectNotFound'; Target = '999999' }
        @{ Command = 'Stop-ProxyConnection -Id 999999'; Id = 'ConnectionNotFound'; Category = 'ObjectNotFound'; Target = '999999' }
        @{ Command = 'Get-ProxySession nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Get-ProxySession -Id 999999'; Id = 'SessionNotFound'; Category = 'ObjectNotFound'; Target = '999999' }
        @{ Command = 'Stop-ProxySession -Id 999999'; Id = 'SessionNotFound'; Category = 'ObjectNotFound'; Target = '999999' }
        @{ Command = 'New-TunnelIdentity $identity'; Id = 'IdentityExists'; Category = 'ResourceExists'; Target = '*agent.pem' }
        @{ Command = 'New-TunnelIdentity ./no/such/folder/a.pem'; Id = 'IdentityNotWritten'; Category = 'WriteError'; Target = './no/such/folder/a.pem' }
        @{ Command = 'Start-TunnelGateway -TcpPortRange 5-1'; Id = 'InvalidPort'; Target = '5-1' }
        @{ Command = 'Start-TunnelGateway -UdpPortRange 0-9'; Id = 'InvalidPort'; Target = '0-9' }
        @{ Command = 'Start-TunnelGateway -Token ""'; Id = 'InvalidToken'; Target = 'token' }
        @{ Command = 'Start-TunnelGateway -TrustedProxy here'; Id = 'InvalidSource'; Target = 'here' }
        @{ Command = 'Start-TunnelGateway -Credential hunter2'; Id = 'InvalidCredential'; Target = 'credential' }
        @{ Command = 'Start-TunnelGateway -AccessLog ./no/such/folder/log'; Id = 'InvalidAccessLog'; Target = './no/such/folder/log' }
        @{ Command = 'Start-TunnelGateway -AccessLogSize 1MB'; Id = 'InvalidAccessLog'; Target = '' }
        @{ Command = 'Set-TunnelGateway nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Set-TunnelGateway web -MaxAgents 5'; Id = 'WrongJobType'; Category = 'InvalidType'; Target = 'web' }
        @{ Command = 'Start-TunnelGateway -AuthorizedKey nobody'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-TunnelGateway -AuthorizedKeysFile ./none.txt'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-TunnelGateway -Domain a_b'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-TunnelGateway -HostNamePool a.b'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-TunnelGateway -HttpPort 99999'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-TunnelGateway -LocalAddress 0.0.0.0'; Id = 'InvalidOption'; Target = '0.0.0.0:0' }
        @{ Command = 'Start-TunnelGateway $job.LocalPort'; Id = 'AddressInUse'; Category = 'ResourceExists'; Target = '127.0.0.1:*' }
        @{ Command = 'Start-TunnelGateway -HttpPort $job.LocalPort'; Id = 'AddressInUse'; Category = 'ResourceExists'; Target = '127.0.0.1:*' }
        @{ Command = 'Register-Tunnel nonsense http://127.0.0.1:80'; Id = 'InvalidGateway'; Target = 'nonsense' }
        @{ Command = 'Register-Tunnel $job http://127.0.0.1:80'; Id = 'InvalidGateway'; Target = 'web' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 http://127.0.0.1:80 -ServerName a'; Id = 'InvalidGateway'; Target = 'tunnel://127.0.0.1:1' }
        @{ Command = 'Register-Tunnel tunnels://127.0.0.1:1 http://127.0.0.1:80 -Thumbprint ab'; Id = 'InvalidGateway'; Target = 'tunnels://127.0.0.1:1' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 127.0.0.1:80'; Id = 'InvalidDestination'; Target = '127.0.0.1:80' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 http://127.0.0.1:80 -Chain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 http://127.0.0.1:80 -Token ""'; Id = 'InvalidToken'; Target = 'token' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 http://127.0.0.1:80 -AllowSource here'; Id = 'InvalidSource'; Target = 'here' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 http://127.0.0.1:80 -Credential hunter2'; Id = 'InvalidCredential'; Target = 'credential' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 https://127.0.0.1:80 -DestinationThumbprint ab'; Id = 'InvalidThumbprint'; Target = 'ab' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 http://127.0.0.1:80 -IdentityFile $noIdentity'; Id = 'InvalidIdentity'; Target = '*none.pem' }
        @{ Command = 'Register-Tunnel tunnel://127.0.0.1:1 http://127.0.0.1:80 -IdentityFile $identity -RemotePort 80'; Id = 'InvalidOption'; Target = 'tunnel://127.0.0.1:1' }
        @{ Command = 'Unregister-Tunnel nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Unregister-Tunnel web'; Id = 'WrongJobType'; Category = 'InvalidType'; Target = 'web' }
        @{ Command = 'Get-Tunnel nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Get-Tunnel -Name nobody'; Id = 'TunnelNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Stop-Tunnel nobody'; Id = 'TunnelNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'New-StripedPipe nonsense'; Id = 'InvalidPeer'; Target = 'nonsense' }
        @{ Command = 'New-StripedPipe udp://127.0.0.1:1'; Id = 'InvalidPeer'; Target = 'udp://127.0.0.1:1' }
        @{ Command = 'New-StripedPipe $job'; Id = 'InvalidPeer'; Target = 'web' }
        @{ Command = 'New-StripedPipe $near'; Id = 'InvalidPeer'; Target = 'near' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Key hunter2'; Id = 'InvalidKey'; Target = 'key' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Chain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Chain relay://a:1, ("socks5://b", "nonsense")'; Id = 'InvalidChain'; Target = 'socks5://b > nonsense' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Chain @()'; Id = 'InvalidChain'; Target = '' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Chain relay://a:1, $null'; Id = 'InvalidChain'; Target = 'nothing' }
        @{ Command = 'New-StripedPipe tls://127.0.0.1:1 -PeerThumbprint ab'; Id = 'InvalidThumbprint'; Target = 'ab' }
        @{ Command = 'New-StripedPipe tls://127.0.0.1:1 -ClientCertificate ./missing.pfx'; Id = 'InvalidCertificate'; Target = './missing.pfx' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Certificate ./missing.pfx'; Id = 'InvalidCertificate'; Target = './missing.pfx' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -AllowSource here'; Id = 'InvalidSource'; Target = 'here' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -StripeCount 0'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -StripeCount 65'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -MaxStripeCount 2'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Window 1000'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -ReconnectTimeout 0'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -StallTimeout -1'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -PeerThumbprint $("ab" * 32)'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -PeerServerName a'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -ClientCertificate $certificate'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Framing Datagram -StripeCount 2'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Framing Datagram -Key (New-ProxyKey)'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -Protocol Udp -Certificate $certificate'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 -LocalAddress 0.0.0.0'; Id = 'InvalidOption'; Target = '0.0.0.0:0' }
        @{ Command = 'New-StripedPipe 127.0.0.1:1 $job.LocalPort'; Id = 'AddressInUse'; Category = 'ResourceExists'; Target = '127.0.0.1:*' }
        @{ Command = 'New-StripedPipe -Accept nonsense'; Id = 'InvalidDestination'; Target = 'nonsense' }
        @{ Command = 'New-StripedPipe -Accept 127.0.0.1:1 -Chain relay://a:1, relay://b:1'; Id = 'InvalidChain'; Target = 'relay://a:1, relay://b:1' }
        @{ Command = 'New-StripedPipe -Accept 127.0.0.1:1 -LocalAddress 0.0.0.0'; Id = 'InvalidOption'; Target = '0.0.0.0:0' }
        @{ Command = 'New-StripedPipe -Accept 127.0.0.1:1 -LocalPort $job.LocalPort'; Id = 'AddressInUse'; Category = 'ResourceExists'; Target = '127.0.0.1:*' }
        @{ Command = 'Set-StripedPipe nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Set-StripedPipe web -StripeCount 5'; Id = 'WrongJobType'; Category = 'InvalidType'; Target = 'web' }
        @{ Command = 'Set-AccessListener near -MaxConnections 5'; Id = 'WrongJobType'; Category = 'InvalidType'; Target = 'near' }
        @{ Command = 'Set-StripedPipe near -StripeCount 65'; Id = 'InvalidOption'; Target = 'near' }
        @{ Command = 'Set-StripedPipe near -Chain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'Set-StripedPipe far -StripeCount 5'; Id = 'InvalidOption'; Target = 'far' }
        @{ Command = 'Set-StripedPipe far -MaxStripeCount 5'; Id = 'InvalidOption'; Target = 'far' }
        @{ Command = 'Set-StripedPipe far -Chain relay://a:1, relay://b:1'; Id = 'InvalidChain'; Target = 'relay://a:1, relay://b:1' }
        @{ Command = 'Set-StripedPipe endedpipe -StripeCount 5'; Id = 'JobNotRunning'; Category = 'InvalidOperation'; Target = 'endedpipe' }
        @{ Command = 'Get-ProxyStripe nobody'; Id = 'JobNotFound'; Category = 'ObjectNotFound'; Target = 'nobody' }
        @{ Command = 'Set-ProxyServer web -MaxConnections 5'; Id = 'WrongJobType'; Category = 'InvalidType'; Target = 'web' }
        @{ Command = 'Set-AccessListener ended -MaxConnections 5'; Id = 'JobNotRunning'; Category = 'InvalidOperation'; Target = 'ended' }
    )
    # what needs more than a command has a test of its own
    $elsewhere = 'ProxyVariablesInUse'
    $known = @($errors.Id) + $elsewhere
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $credential = [pscredential]::new('me', (ConvertTo-SecureString hunter2 -AsPlainText -Force))
    $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=test', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
    $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
    $bare = [Security.Cryptography.X509Certificates.X509CertificateLoader]::LoadCertificate($certificate.RawData)
    $job = Start-AccessListener 127.0.0.1:80 -Name web
    $identity = (New-TunnelIdentity "$TestDrive/agent.pem").Path
    $noIdentity = "$TestDrive/none.pem"
    Set-Content $noIdentity hunter2
    $ended = Start-AccessListener 127.0.0.1:80 -Name ended
    $near = New-StripedPipe 127.0.0.1:1 -Name near
    $null = New-StripedPipe -Accept 127.0.0.1:1 -Name far
    $endedPipe = New-StripedPipe 127.0.0.1:1 -Name endedpipe
    Stop-Job $ended, $endedPipe
}

AfterAll { Remove-AllProxyJobs }

Describe 'errors of cmdlets' {
    It '<Command>: <Id>' -ForEach $errors {
        $before = @(Get-Job).Count
        Invoke-Expression "$Command -ErrorAction SilentlyContinue -ErrorVariable problem" | Should -BeNullOrEmpty
        @(Get-Job).Count | Should -Be $before
        $problem.Count | Should -Be 1 -Because 'one thing is wrong'
        $problem[0].FullyQualifiedErrorId | Should -Match "^$Id,ProxyShell\.Commands\.\w+Command$"
        $problem[0].CategoryInfo.Category | Should -Be ($Category ?? 'InvalidArgument')
        $about = $problem[0].TargetObject
        $shown = if ($about -is [Management.Automation.Job]) { $about.Name } else { "$about" }
        $shown | Should -BeLike "$($Target -replace '\*{3}', '`*`*`*')"
        "$($problem[0])" | Should -Not -BeLike '*hunter2*'
        "$($problem[0])" | Should -Match '\w.*[.?]$|in use|address' -Because 'an error is a sentence'
    }

    It 'a hop that answers "<Id>"' -ForEach $reasons {
        $hop = [ProxyShellTests.RefusingHop]::new($Number, 1)
        try {
            $chain = New-ProxyChain $hop.Uri
            (Test-ProxyChain $chain -ErrorAction SilentlyContinue -ErrorVariable problem).Status | Should -Be Failed
            $problem.Count | Should -Be 1
            $problem[0].FullyQualifiedErrorId | Should -Be "$Id,ProxyShell.Commands.TestProxyChainCommand"
            $problem[0].CategoryInfo.Category | Should -Be $Category
            $problem[0].TargetObject | Should -Be $chain.Hops[0]
            "$($problem[0])" | Should -BeLike "hop 1 ($($hop.Uri -replace 'relay://'))*"
            if ($Id -notin 'ConnectionReset', 'Stopping', 'Other') { $problem[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty }
        }
        finally { $hop.Dispose() }
    }

    It 'a time that is none: <_>' -ForEach 'Start-ProxyServer -IdleTimeout soon', 'Set-AccessListener web -ConnectTimeout soon', 'Test-ProxyChain direct -Timeout soon', 'Use-ProxyChain direct { } -ConnectTimeout soon', 'New-ProxyChain relay://a:1 -ProbeInterval soon', 'New-ProxyHop relay+mux://a:1 -KeepAlive soon', 'New-StripedPipe 127.0.0.1:1 -StallTimeout soon', 'Set-StripedPipe near -ReconnectTimeout soon' {
        $command = [scriptblock]::Create($_)
        { & $command } | Should -Throw "*'soon' is not a time*" -ErrorId 'ParameterArgumentTransformationError,ProxyShell.Commands.*Command'
    }

    It 'a value out of its range: <_>' -ForEach 'New-ProxyHop relay+mux://a:1 -MaxSessions 65', 'New-ProxyChain relay+mux://a:1 -MaxChannels 5000', 'New-ProxyHop relay+mux://a:1 -KeepAlive 0.5', 'Start-ProxyServer -KeepAlive 3601' {
        $command = [scriptblock]::Create($_)
        { & $command } | Should -Throw -ErrorId 'Parameter*Error,ProxyShell.Commands.*Command'
    }
}

Describe 'this table' {
    It 'has every id in the code of the cmdlets' -ForEach @{ Known = $known } {
        $code = Get-ChildItem $PSScriptRoot/../../src/ProxyShell/Commands -Filter *.cs | Get-Content -Raw | Join-String
        # an id is a single word in quotes within a statement that makes an error; messages may hold semicolons
        $code = $code -replace '"(?:[^"\\\r\n]|\\.)*"', { $_.Value -match ' ' ? '""' : $_.Value }
        $ids = [regex]::Matches($code, '(?s)(TryRead|TryReadEach|ProblemRecord\.\w+|Refuse\w*)\((?:[^;]*?)"([A-Z]\w+)"') | ForEach-Object { $_.Groups[2].Value }
        $ids | Should -Contain WrongJobType
        $ids.Count | Should -BeGreaterThan 30
        $ids | Sort-Object -Unique | Where-Object { $_ -cnotin $Known } | Should -BeNullOrEmpty
    }

    It 'has every reason that can come over the wire' -ForEach @{ Reasons = $reasons } {
        $wire = [enum]::GetValues([ProxyShell.Engine.Diagnostics.ProxyErrorReason]) | Where-Object { [int]$_ -in 1..127 }
        $wire | Should -Be $Reasons.Id
    }
}
