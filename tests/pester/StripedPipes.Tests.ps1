# Striped pipes: both ends as jobs, their stripes, and what happens when stripes are lost.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
    $key = New-ProxyKey

    # The length and the hash of what the origin sends through a port.
    function Get-Bytes([int] $Port, [int] $Count) {
        $body = (Invoke-WebRequest "http://127.0.0.1:$Port/bytes/$Count" -NoProxy).Content
        $body.Length | Should -Be $Count
        [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([byte[]]$body)) | Should -Be ([ProxyShellTests.Origin]::HashOf($Count))
    }

    # The same in the background; gives the hash.
    function Start-Transfer([int] $Port, [int] $Count) {
        Start-ThreadJob -ArgumentList "http://127.0.0.1:$Port/bytes/$Count" { param($uri) [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([byte[]](Invoke-WebRequest $uri -NoProxy).Content)) }
    }

    # Invoke-WebRequest to a port whose way leads nowhere.
    function Test-CutOff([int] $Port) {
        try { $null = Invoke-WebRequest "http://127.0.0.1:$Port/bytes/1" -NoProxy -TimeoutSec 20; $false } catch { $true }
    }

    function Get-StripeConnection($Far) { Get-ProxyConnection $Far | Where-Object Protocol -EQ stripe }
}

AfterAll { $origin.Dispose() }

Describe 'a striped pipe' {
    AfterEach { Remove-AllProxyJobs }

    It 'carries bytes over four stripes, and shows them' {
        $far = New-StripedPipe -Accept -Destination $origin.Address -Key $key -Name far
        $near = New-StripedPipe -Peer "127.0.0.1:$($far.LocalPort)" -Key $key -Name near
        Get-Bytes $near.LocalPort 3000000
        Wait-Until { $near.ActiveStripes -eq 4 -and $far.ActiveStripes -eq 4 }
        $near.Stripes | Should -BeOfType ProxyShell.Engine.Striping.StripeInfo
        $near.Stripes.State | Should -Be (, 'Active' * 4)
        ($near.Stripes.Number | Sort-Object) | Should -Be 1, 2, 3, 4
        $near.Stripes.Path | Should -Be (, "127.0.0.1:$($far.LocalPort)" * 4)
        $far.Stripes.Number | Should -Be 1, 2, 3, 4
        $far.Stripes.Pipe | Sort-Object -Unique | Should -Be ($near.Stripes.Pipe | Sort-Object -Unique)
        $near.Stripes.Service | Sort-Object -Unique | Should -Be near
        ($near.Stripes | Measure-Object BytesReceived -Sum).Sum | Should -BeGreaterThan 3000000
        ($far.Stripes | Measure-Object BytesSent -Sum).Sum | Should -BeGreaterThan 3000000
        ($far.Stripes | Measure-Object Rate -Maximum).Maximum | Should -BeGreaterThan 0
        $near.Stripes.RoundTrip.TotalMilliseconds | ForEach-Object { $_ | Should -BeGreaterThan 0 }
    }

    It 'has ends that tell what they are' {
        $far = New-StripedPipe -Accept $origin.Address -Name far
        $near = New-StripedPipe $far -Name near
        foreach ($job in $far, $near) {
            $job | Should -BeOfType ProxyShell.Jobs.StripedPipeJob
            $job | Should -BeOfType ProxyShell.Jobs.ListenerJob
            $job.PSJobTypeName | Should -Be StripedPipe
            $job.Framing | Should -Be Stripe
            $job.Protocol | Should -Be tcp
            $job.Uri | Should -Be "tcp://127.0.0.1:$($job.LocalPort)"
            "$($job.LocalEndpoint)" | Should -Be "127.0.0.1:$($job.LocalPort)"
            $job.Chains.Count | Should -Be 0
        }
        "$($near.Peer)" | Should -Be "127.0.0.1:$($far.LocalPort)"
        $near.Destination | Should -BeNullOrEmpty
        "$($far.Destination)" | Should -Be $origin.Address
        $far.Peer | Should -BeNullOrEmpty
        $far.CertificateThumbprint | Should -BeNullOrEmpty
        Wait-Until { $near.StatusMessage -eq "listening on 127.0.0.1:$($near.LocalPort), 0 connections open, 4 of 4 stripes active" }
        Wait-Until { $far.StatusMessage -like '*, 4 stripes active' }
        $near.Command, $far.Command | Should -Be "New-StripedPipe -Peer $($near.Peer)", "New-StripedPipe -Accept -Destination $($origin.Address)"
        $near | Format-List | Out-String | Should -Match '(?s)Peer +: 127.*Framing +: Stripe.*ActiveStripes +: 4'
    }

    It 'takes key, framing and protocol of a far end that is given as a job' {
        $far = New-StripedPipe -Accept $origin.Address -Key $key
        $near = New-StripedPipe $far
        Get-Bytes $near.LocalPort 1000
        $other = New-StripedPipe (New-StripedPipe -Accept $origin.Address -Framing Datagram -Protocol Udp)
        $other.Framing, $other.Protocol | Should -Be Datagram, udp
    }

    It 'is named, counted and listed as other jobs are' {
        $far = New-StripedPipe -Accept $origin.Address -Name far
        $near = New-StripedPipe $far -Name near
        $download = [ProxyShellTests.Download]::new($near.LocalPort, '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            $open = Get-ProxyConnection near
            $open.Destination | Should -Be "$($near.Peer)"
            $open.BytesReceived | Should -BeGreaterThan 1MB
            $stream = Get-ProxyConnection far | Where-Object Protocol -NE stripe
            $stream.Destination | Should -Be $origin.Address
            $stream.Client | Should -Be $open.Client -Because 'the far end is told whose stream it is'
            @(Get-StripeConnection far).Count | Should -Be 4
            $near.AcceptedConnections | Should -Be 1
            $open | Stop-ProxyConnection
            Wait-Until { $download.IsEnded }
            Wait-Until { -not (Get-ProxyConnection far | Where-Object Protocol -NE stripe) }
            Wait-Until { (Get-ProxyEvent near -Kind Failed).Reason -eq 'Aborted' }
            $near.ActiveStripes | Should -Be 4 -Because 'a stream that ends takes no stripe with it'
        }
        finally { $download.Dispose() }
        Get-Bytes $near.LocalPort 1000
    }

    It 'spreads stripes over chains' {
        $one, $two = 1..2 | ForEach-Object { Start-ProxyServer }
        $far = New-StripedPipe -Accept $origin.Address -Key $key
        $near = New-StripedPipe "127.0.0.1:$($far.LocalPort)" -Key $key -Chain $one, ($two, $one), direct -StripeCount 6
        Wait-Until { $near.ActiveStripes -eq 6 }
        "$($near.Chains[1])" | Should -Be "$($two.Uri) > $($one.Uri)"
        ($near.Stripes | Group-Object Path | Sort-Object Count, Name | ForEach-Object { "$($_.Count) $($_.Name)" } | Sort-Object) |
            Should -Be ("2 $($one.Uri)", "2 $($two.Uri) > $($one.Uri)", "2 127.0.0.1:$($far.LocalPort)" | Sort-Object)
        $one.ActiveConnections, $two.ActiveConnections | Should -Be 4, 2
        Get-Bytes $near.LocalPort 1000000
    }

    It 'loses no byte with one of its chains' {
        $one, $two = 1..2 | ForEach-Object { Start-ProxyServer -StopTimeout 0 }
        $far = New-StripedPipe -Accept $origin.Address -Key $key -Chain (New-ProxyChain (Start-ProxyServer -BandwidthLimit 4MB)) -Name far
        $near = New-StripedPipe $far -Chain $one, $two -Name near
        Wait-Until { $near.ActiveStripes -eq 4 }
        $load = Start-Transfer $near.LocalPort 8000000
        Wait-Until { (Get-ProxyConnection near).BytesReceived -gt 500KB }
        Stop-Job $one
        $load | Receive-Job -Wait -AutoRemoveJob | Should -Be ([ProxyShellTests.Origin]::HashOf(8000000))
        Wait-Until { (Get-ProxyStripe near -State Connecting).Count -eq 2 }
        (Get-ProxyStripe near -State Active).Path | Sort-Object -Unique | Should -Be $two.Uri
        (Get-ProxyStripe near -State Connecting)[0].LastError | Should -BeLike "hop 1*connection refused*"
        $near.StatusMessage | Should -BeLike '*2 of 4 stripes active'
    }

    It 'serves several near ends, each with stripes of its own' {
        $far = New-StripedPipe -Accept $origin.Address -Key $key
        $ends = 1..2 | ForEach-Object { New-StripedPipe $far -StripeCount 2 }
        foreach ($end in $ends) { Get-Bytes $end.LocalPort 100000 }
        Wait-Until { $far.ActiveStripes -eq 4 }
        @($far.Stripes.Pipe | Sort-Object -Unique).Count | Should -Be 2
    }

    It 'speaks TLS from end to end, behind a chain too, with certificates on both sides' {
        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=far.test', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
        $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
        $pin = $certificate.GetCertHashString([Security.Cryptography.HashAlgorithmName]::SHA256)
        $far = New-StripedPipe -Accept $origin.Address -Certificate $certificate -ClientCertificateThumbprint $pin
        $far.Uri | Should -BeLike 'tls://*'
        $far.CertificateThumbprint | Should -Be $pin
        $known = New-StripedPipe "tls://127.0.0.1:$($far.LocalPort)" -PeerThumbprint $pin -ClientCertificate $certificate -Chain (Start-ProxyServer)
        Get-Bytes $known.LocalPort 100000
        Get-Bytes (New-StripedPipe $far -ClientCertificate $certificate).LocalPort 1000
        $stranger = New-StripedPipe $far -StripeCount 1
        Wait-Until { $stranger.Stripes[0].LastError }
        $mistaken = New-StripedPipe $far -PeerThumbprint ('ab' * 32) -StripeCount 1
        Wait-Until { $mistaken.Stripes[0].LastError -like '*certificate*' }
        (Get-ProxyEvent $mistaken -Kind Stripe)[0].Reason | Should -Be TlsFailed
    }

    It 'is reached by Unix sockets on both sides' -Skip:$IsWindows {
        $far = New-StripedPipe -Accept $origin.Address -LocalAddress "unix:$TestDrive/far.sock"
        $far.LocalPort | Should -Be 0
        Get-Bytes (New-StripedPipe "unix:$TestDrive/far.sock").LocalPort 1000
        Get-Bytes (New-StripedPipe $far).LocalPort 1000
    }

    It 'is made of the rows of a file' {
        $far = New-StripedPipe -Accept $origin.Address -Key $key
        "Peer,LocalPort,Name,StripeCount,Key,MaxConnections", "127.0.0.1:$($far.LocalPort),,csv1,2,$($key.Reveal()),", "127.0.0.1:$($far.LocalPort),0,csv2,,$($key.Reveal()),7" |
            ConvertFrom-Csv | New-StripedPipe | ForEach-Object { Get-Bytes $_.LocalPort 10 }
        Wait-Until { (Get-Job csv1).ActiveStripes -eq 2 -and (Get-Job csv2).ActiveStripes -eq 4 }
        ([pscustomobject]@{ Destination = $origin.Address; Name = 'farcsv' } | New-StripedPipe -Accept).Name | Should -Be farcsv
    }

    It 'makes nothing with -WhatIf' {
        New-StripedPipe 127.0.0.1:1 -WhatIf | Should -BeNullOrEmpty
        New-StripedPipe -Accept 127.0.0.1:1 -WhatIf | Should -BeNullOrEmpty
        Get-Job | Should -BeNullOrEmpty
    }

    It 'tells each thing that is wrong' {
        New-StripedPipe nonsense -Key hunter2 -Chain rubbish -PeerThumbprint ab -ErrorAction SilentlyContinue -ErrorVariable problems | Should -BeNullOrEmpty
        ($problems.FullyQualifiedErrorId -replace ',.*' | Sort-Object) | Should -Be InvalidChain, InvalidKey, InvalidPeer, InvalidThumbprint
    }

    It 'names parameters when options do not fit' {
        New-StripedPipe 127.0.0.1:1 -PeerThumbprint ('ab' * 32) -ErrorAction SilentlyContinue -ErrorVariable problem
        "$problem" | Should -BeLike '*-PeerThumbprint is given, but*tls://127.0.0.1:1*'
        New-StripedPipe -Accept 127.0.0.1:1 -LocalAddress 0.0.0.0 -ErrorAction SilentlyContinue -ErrorVariable problem
        "$problem" | Should -BeLike '*give a Key*'
        New-StripedPipe 127.0.0.1:1 -Framing Datagram -Key $key -ErrorAction SilentlyContinue -ErrorVariable problem
        "$problem" | Should -BeLike '*Framing Datagram has no handshake*'
    }

    It 'completes far ends, shapes of peers, and names of pipes' {
        $far = New-StripedPipe -Accept $origin.Address -Name end
        $null = Start-ProxyServer -Name gate
        (TabExpansion2 'New-StripedPipe -Peer ' 22).CompletionMatches.CompletionText | Should -Be $far.Uri, 'tcp://', 'tls://', 'unix:'
        (TabExpansion2 'Set-StripedPipe ' 16).CompletionMatches.CompletionText | Should -Be end
        (TabExpansion2 'Get-ProxyStripe ' 16).CompletionMatches.CompletionText | Should -Be end
        (TabExpansion2 'New-StripedPipe -Framing ' 25).CompletionMatches.CompletionText | Should -Be Datagram, Stripe
        (TabExpansion2 'New-StripedPipe -Chain g' 24).CompletionMatches.ToolTip | Should -BeNullOrEmpty
        (TabExpansion2 'New-StripedPipe -Chain relays:' 30).CompletionMatches.CompletionText | Should -Contain relays://
    }
}

Describe 'stripes that are lost' {
    BeforeEach {
        $far = New-StripedPipe -Accept $origin.Address -Key $key -Name far
        $near = New-StripedPipe $far -Name near
        Wait-Until { $near.ActiveStripes -eq 4 -and @(Get-StripeConnection far).Count -eq 4 }
    }

    AfterEach { Get-EventSubscriber | Unregister-Event; Remove-AllProxyJobs; Get-Job | Remove-Job -Force }

    It 'join again under another number, and events tell of both' {
        $seen = [Collections.Concurrent.ConcurrentQueue[object]]::new()
        $null = Register-ObjectEvent $near EventWritten -MessageData $seen -Action { if ($EventArgs.ProxyEvent.Kind -eq 'Stripe') { $Event.MessageData.Enqueue([pscustomobject]@{ Number = $Event.EventIdentifier; Written = $EventArgs.ProxyEvent }) } }
        Get-StripeConnection far | Select-Object -First 1 | Stop-ProxyConnection
        Wait-Until { $seen.Count -eq 2 }
        $told = ($seen | Sort-Object Number).Written
        $told[0].Message | Should -Match '^stripe [1-4] of pipe [0-9a-f]{8} lost: '
        $told[0].Reason | Should -Not -Be None
        $told[1].Message | Should -Match '^stripe 5 of pipe [0-9a-f]{8} joined over 127'
        $told[1].Reason | Should -Be None
        (Get-ProxyEvent near -Kind Stripe).Message | Should -Be $told.Message
        Wait-Until { $near.ActiveStripes -eq 4 }
        $near.Stripes.Number | Should -Contain 5
        (Get-ProxyEvent far -Kind Failed).Reason | Should -Be Aborted
        Get-Bytes $near.LocalPort 100000
    }

    It 'all at once do not disturb a transfer' {
        Set-StripedPipe far -BandwidthLimit 4MB
        $load = Start-Transfer $near.LocalPort 6000000
        Wait-Until { (Get-ProxyConnection near).BytesReceived -gt 300KB }
        foreach ($round in 1..3) {
            Get-StripeConnection far | Stop-ProxyConnection
            Wait-Until { $near.ActiveStripes -eq 4 -and ($near.Stripes.Number | Measure-Object -Minimum).Minimum -gt 4 * $round }
        }
        $load.State | Should -Be Running -Because 'it has to be disturbed to be tested'
        $load | Receive-Job -Wait -AutoRemoveJob | Should -Be ([ProxyShellTests.Origin]::HashOf(6000000))
        $near.FailedConnections | Should -Be 0
    }

    It 'with their far end: the near end says so, and goes on with the next one' {
        $port = $far.LocalPort
        Stop-Job $far
        Wait-Until { $near.StatusMessage -like '*0 of 4 stripes active (peer 127.0.0.1:*connection refused*' }
        $near.State | Should -Be Running
        $far.FailedConnections | Should -Be 0 -Because 'the pipe was ended in order'
        Test-CutOff $near.LocalPort | Should -BeTrue
        (Get-ProxyEvent near -Kind Failed).Reason | Should -Contain ConnectionRefused
        $null = New-StripedPipe -Accept $origin.Address -LocalPort $port -Key $key -Name again
        Wait-Until { $near.ActiveStripes -eq 4 }
        Get-Bytes $near.LocalPort 1000
    }

    It 'for longer than the pipe waits fail their streams' {
        Set-StripedPipe near -ReconnectTimeout 0.5
        Set-StripedPipe far -StopTimeout 0
        $download = [ProxyShellTests.Download]::new($near.LocalPort, '/hang')
        try {
            Wait-Until { (Get-ProxyConnection near).State -eq 'Open' }
            Stop-Job $far
            Wait-Until { $download.IsEnded }
            $near.State | Should -Be Running
            $near.FailedConnections | Should -Be 1
        }
        finally { $download.Dispose() }
    }
}

Describe 'who has no key' {
    AfterEach { Remove-AllProxyJobs }

    It 'or another one joins nothing: <Case>' -ForEach @(
        @{ Case = 'another key'; Far = 'key'; Near = 'other'; Text = '*another key was used*' }
        @{ Case = 'none'; Far = 'key'; Near = $null; Text = '*a key is needed, and none was used*' }
        @{ Case = 'one too many'; Far = $null; Near = 'key'; Text = '*a key was used, and this end has none*' }
    ) {
        $keys = @{ key = $key; other = New-ProxyKey }
        $farWith = if ($Far) { @{ Key = $keys[$Far] } } else { @{} }
        $nearWith = if ($Near) { @{ Key = $keys[$Near] } } else { @{} }
        $farEnd = New-StripedPipe -Accept $origin.Address @farWith -Name far
        $good = New-StripedPipe $farEnd
        $bad = New-StripedPipe "127.0.0.1:$($farEnd.LocalPort)" @nearWith -Name bad
        Wait-Until { $bad.StatusMessage -like "*0 of 4 stripes active ($Text" }
        (Get-ProxyEvent bad -Kind Stripe)[0].Reason | Should -Be AuthenticationFailed
        (Get-ProxyEvent far -Kind Refused)[0].Reason | Should -Be AuthenticationFailed
        (Get-ProxyEvent far -Kind Refused)[0].Message | Should -BeLike $Text
        Test-CutOff $bad.LocalPort | Should -BeTrue
        (Get-ProxyEvent bad -Kind Failed)[0].Reason | Should -Be AuthenticationFailed
        Get-Bytes $good.LocalPort 1000
        Show-Everything $bad | Should -Not -Match ([regex]::Escape($key.Reveal()))
    }
}

Describe 'datagrams' {
    BeforeAll { $echo = [ProxyShellTests.UdpEcho]::new() }
    AfterAll { $echo.Dispose() }
    AfterEach { Remove-AllProxyJobs }

    It 'pass there and back with Framing <_>' -ForEach Stripe, Datagram {
        $with = if ($_ -eq 'Stripe') { @{ Key = $key } } else { @{} }
        $far = New-StripedPipe -Accept $echo.Address -Protocol Udp -Framing $_ @with -Name far
        $near = New-StripedPipe "127.0.0.1:$($far.LocalPort)" -Protocol Udp -Framing $_ -UdpIdleTimeout 30 @with -Name near
        $near.Uri | Should -BeLike 'udp://127.0.0.1:*'
        $near.Protocol, $far.Protocol | Should -Be udp, udp
        foreach ($text in 'hello', ('x' * 1400)) { [ProxyShellTests.UdpEcho]::Ask($near.LocalPort, $text, 5000) | Should -Be $text }
        @(Get-ProxyConnection near).Protocol | Sort-Object -Unique | Should -Be udp
    }

    It 'and connections do not mix' {
        $far = New-StripedPipe -Accept $echo.Address -Protocol Udp -Name far
        $near = New-StripedPipe $far -Protocol Tcp -Name near
        Test-CutOff $near.LocalPort | Should -BeTrue
        Wait-Until { Get-ProxyEvent far -Kind Refused }
        (Get-ProxyEvent far -Kind Refused).Reason | Should -Be Unsupported
    }
}

Describe 'Framing Datagram' {
    AfterEach { Remove-AllProxyJobs }

    It 'has a connection for each client and no stripes' {
        $hop = Start-ProxyServer
        $far = New-StripedPipe -Accept $origin.Address -Framing Datagram -Name far
        $near = New-StripedPipe "127.0.0.1:$($far.LocalPort)" -Framing Datagram -Chain $hop, direct -Name near
        $near.Framing, $far.Framing | Should -Be Datagram, Datagram
        1..4 | ForEach-Object { Get-Bytes $near.LocalPort 100000 }
        $hop.AcceptedConnections | Should -Be 2 -Because 'connections take the chains in turn'
        Get-ProxyStripe | Should -BeNullOrEmpty
        $near.ActiveStripes | Should -Be 0
        $near.StatusMessage | Should -Match '^listening on [\d.:]+, \d connections? open$'
        $far.AcceptedConnections | Should -Be 4
    }
}

Describe 'Set-StripedPipe' {
    BeforeEach {
        $far = New-StripedPipe -Accept $origin.Address -Key $key -Name far
        $near = New-StripedPipe $far -Name near
        Wait-Until { $near.ActiveStripes -eq 4 }
    }

    AfterEach { Remove-AllProxyJobs }

    It 'adds stripes and takes them away, without a stream that notices' {
        $download = [ProxyShellTests.Download]::new($near.LocalPort, '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            foreach ($count in 7, 1, 3) {
                Set-StripedPipe near -StripeCount $count -PassThru | Should -Be $near
                Wait-Until { $near.ActiveStripes -eq $count -and $near.Stripes.Count -eq $count -and $far.ActiveStripes -eq $count }
                $before = $download.Bytes
                Wait-Until { $download.Bytes -gt $before + 1MB }
            }
            $download.IsEnded | Should -BeFalse
        }
        finally { $download.Dispose() }
        (Get-ProxyEvent near -Kind Reconfigured).Message | Should -Be 'changed StripeCount from 4 to 7', 'changed StripeCount from 7 to 1', 'changed StripeCount from 1 to 3'
    }

    It 'gives the next stripes other chains' {
        $hop = Start-ProxyServer
        Set-StripedPipe near -Chain $hop
        "$($near.Chains)" | Should -Be $hop.Uri
        $hop.ActiveConnections | Should -Be 0
        Get-StripeConnection far | Stop-ProxyConnection
        Wait-Until { $near.ActiveStripes -eq 4 -and $hop.ActiveConnections -eq 4 }
        Set-StripedPipe near -Chain $null -WarningAction SilentlyContinue -WarningVariable warned
        "$warned" | Should -BeLike "*'near' connects directly*"
        $near.Chains.Count | Should -Be 0
        Set-StripedPipe near -Chain direct -WarningVariable warned
        "$warned" | Should -BeNullOrEmpty
    }

    It 'changes the far end''s chain, times and limits' {
        $hop = Start-ProxyServer
        Set-StripedPipe far -Chain $hop -StallTimeout 20 -ReconnectTimeout 0:02:00 -MaxConnections 1
        "$($far.Chains)" | Should -Be $hop.Uri
        Get-Bytes $near.LocalPort 1000
        $hop.AcceptedConnections | Should -Be 1
        (Get-ProxyEvent far -Kind Reconfigured).Message | Should -BeLike '*MaxConnections*ReconnectTimeout*StallTimeout*Chain*'
    }

    It 'changes nothing with -WhatIf' {
        Set-StripedPipe near -StripeCount 9 -WhatIf -PassThru | Should -BeNullOrEmpty
        Get-ProxyEvent near -Kind Reconfigured | Should -BeNullOrEmpty
    }

    It 'means the pipes among all jobs with a wildcard, and refuses what only near ends have' {
        $null = Start-ProxyServer
        (Set-StripedPipe * -MaxConnections 50 -PassThru).Name | Should -Be far, near
        Set-StripedPipe far -StripeCount 2 -ErrorAction SilentlyContinue -ErrorVariable problem
        "$problem" | Should -Be "'far' is a far end, which takes the stripes that come: give -StripeCount to the near end."
    }
}

Describe 'Get-ProxyStripe' {
    AfterEach { Remove-AllProxyJobs }

    It 'gets the stripes of all pipes, of some, and of those in a state' {
        $far = New-StripedPipe -Accept $origin.Address -Name far
        $near = New-StripedPipe $far -Name near -StripeCount 2
        $null = Start-ProxyServer -Name other
        $lost = New-StripedPipe "127.0.0.1:$(Get-ClosedPort)" -Name lost -StripeCount 3
        Wait-Until { $near.ActiveStripes -eq 2 -and $far.ActiveStripes -eq 2 -and @($lost.Stripes.LastError -ne $null).Count -eq 3 }
        (Get-ProxyStripe | Group-Object Service | ForEach-Object { "$($_.Name) $($_.Count)" }) | Should -Be 'far 2', 'lost 3', 'near 2'
        @(Get-ProxyStripe n*).Count | Should -Be 2
        @($near, $far | Get-ProxyStripe).Count | Should -Be 4
        (Get-ProxyStripe -State Connecting).Service | Sort-Object -Unique | Should -Be lost
        (Get-ProxyStripe lost)[0].LastError | Should -BeLike 'peer 127.0.0.1:*connection refused*'
        (Get-ProxyStripe lost)[0].Number | Should -Be 0
        Get-ProxyStripe other | Should -BeNullOrEmpty -Because 'only striped pipes have stripes'
        Stop-Job $near
        Get-ProxyStripe near | Where-Object State -EQ Active | Should -BeNullOrEmpty
    }
}
