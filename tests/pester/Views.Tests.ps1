# Tables as people see them in windows of 80 and 120 columns.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()

    function Show-Table($Object, [int] $Width) {
        $text = $Object | Format-Table | Out-String -Width $Width
        foreach ($line in $text -split '\r?\n') { $line.Length | Should -BeLessOrEqual $Width }
        $text
    }

    function Join-Wrapped([string] $Text) { $Text -replace '\s' }
}

AfterAll { $origin.Dispose() }

Describe 'tables at <_> columns' -ForEach 80, 120 {
    BeforeAll {
        $width = $_
        $p1 = Start-ProxyServer -Name a-name-that-is-longer-than-its-column
        $listener = Start-AccessListener $origin.Address -Chain $p1
        $download = [ProxyShellTests.Download]::new($listener.LocalPort, '/endless')
        Wait-Until { $download.Bytes -gt 1MB }
    }

    AfterAll {
        $download.Dispose()
        Remove-AllProxyJobs
    }

    It 'show a test with whole endpoints and errors' {
        $closed = "127.0.0.1:$(Get-ClosedPort)"
        $table = Show-Table (Test-ProxyChain $p1 -Destination $closed -ErrorAction SilentlyContinue) $width
        $table | Should -Match 'Hop Endpoint +Dial ms Setup ms RTT ms Session Status +Error'
        $table | Should -Match "(?m)^ +1 127\.0\.0\.1:$($p1.LocalPort) +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +Ok"
        $table | Should -Match "(?m)^dest $([regex]::Escape($closed)) +Failed "
        $failure = ($table -split '(?m)^dest ')[1]
        Join-Wrapped $failure | Should -BeLike "*destination${closed}:connectionrefused*" -Because 'a long error wraps'
    }

    It 'show connections by what they move' {
        $table = Show-Table (Get-ProxyConnection) $width
        $table | Should -Match 'Id Job +Destination +State +Sent +Received +Rate +Duration'
        $table | Should -Match "a-name-that-is-… $([regex]::Escape($origin.Address)) +Open +\d+ B +[\d,.]+ [MG]B +[\d,.]+ [KMG]B/s +0:00:\d\d"
        if ($width -ge 120) { $table | Should -Match 'Duration Chain +Client(.|\n)* 1 hop +127\.0\.0\.1:\d+' }
    }

    It 'show sessions by what they carry' {
        $held = Start-AccessListener $origin.Address -Chain (New-ProxyHop $p1 -Multiplexed)
        $transfer = [ProxyShellTests.Download]::new($held.LocalPort, '/endless')
        try {
            Wait-Until { $transfer.Bytes -gt 1MB }
            Show-Table (Test-ProxyChain $held.Chain) $width | Should -Match "(?m)^ +1 127\.0\.0\.1:$($p1.LocalPort) +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d kept +Ok"
            $table = Show-Table (Get-ProxySession $held) $width
            $table | Should -Match 'Id Direction +Peer +Transport +Channels +Opened'
            $table | Should -Match "Outgoing +127\.0\.0\.1:$($p1.LocalPort) +tcp +\d+ +\d+"
            if ($width -ge 120) { $table | Should -Match 'Window +RTT ms +Age +Sent +Received(.|\n)* [\d,.]+ [KM]B +\d+\.\d\d +0:00:\d\d +\d+ B +[\d,.]+ [KMG]B' }
        }
        finally { $transfer.Dispose() }
    }

    It 'show events with the message last and whole' {
        $table = Show-Table (Get-ProxyEvent) $width
        $table | Should -Match 'Time +Job +Kind +Id +Client +Message'
        $table | Should -Match '(?m)^\d\d:\d\d:\d\d\.\d{3} a-name-that-is-… Started +listening'
        Join-Wrapped $table | Should -BeLike "*listeningon127.0.0.1:$($p1.LocalPort)*"
    }

    It 'show the health of alternates, with whole errors' {
        $group = New-ProxyChain "relay://127.0.0.1:$(Get-ClosedPort)", $p1 -Alternate
        $grouped = Start-AccessListener $origin.Address -Chain $group
        Wait-Until { @($group | Get-ProxyChainHealth | Where-Object State -In Up, Down).Count -eq 2 }
        $table = Show-Table (Get-ProxyChainHealth $grouped) $width
        $table | Should -Match 'Place Alternate +State +Mean ms +Loss Since +Error'
        $table | Should -Match "(?m)^ +1 relay://127\.0\.0\.1:$($p1.LocalPort) +Up +\d+\.\d\d +0 ?% \d\d:\d\d:\d\d"
        Join-Wrapped $table | Should -BeLike '*connectionrefused*'
    }

    It 'show stripes by how fast they are' {
        $pipe = New-StripedPipe (New-StripedPipe -Accept $origin.Address -Name far-end) -Name pipe
        $transfer = [ProxyShellTests.Download]::new($pipe.LocalPort, '/endless')
        try {
            Wait-Until { $transfer.Bytes -gt 5MB -and $pipe.ActiveStripes -eq 4 }
            $table = Show-Table (Get-ProxyStripe $pipe) $width
            $table | Should -Match 'Job +Stripe State +Path +Rate RTT ms'
            $table | Should -Match "(?m)^pipe +1 Active +$([regex]::Escape($pipe.Peer)) +"
            Show-Table (Get-ProxyStripe far-end) $width | Should -Match '(?m)^far-end +\d Active +127\.0\.0\.1:\d+ +[\d,.]+ [KMG]?B/s +\d+\.\d\d '
            if ($width -ge 120) { $table | Should -Match 'Queued +Resent +Sent +Received' }
        }
        finally { $transfer.Dispose() }
        $lost = New-StripedPipe "127.0.0.1:$(Get-ClosedPort)" -Name lost -StripeCount 1
        Wait-Until { $lost.Stripes[0].LastError }
        if ($width -ge 120) { Show-Table $lost.Stripes $width | Should -Match "(?m)^lost +Connecting +127\.0\.0\.1:\d+ .* peer 127\.0\.0\.1:\d+: con" }
    }

    It 'show tunnels by who serves them, and requests by what came of them' {
        $identity = (New-TunnelIdentity "$TestDrive/view.pem" -Force).Path
        $gateway = Start-TunnelGateway -HttpPort 0
        $null = Register-Tunnel $gateway "http://$($origin.Address)" blog -IdentityFile $identity
        $null = Register-Tunnel $gateway "http://$($origin.Address)" -IdentityFile $identity
        $null = Invoke-WebRequest "http://127.0.0.1:$($gateway.HttpPort)/a/path/that/is/longer/than/its/column/in/the/table" -Headers @{ Host = 'blog.localhost' }
        Wait-Until { -not (Get-Tunnel -Name blog).Connections }
        $table = Show-Table (Get-Tunnel) $width
        $table | Should -Match 'Url +Agent +Since'
        $table | Should -Match '(?m)^http://[a-z2-7]{32}… 127\.0\.0\.1:\d+ +\d\d:\d\d:\d\d'
        if ($width -ge 120) { $table | Should -Match 'Open +Total +Sent +Received +RTT ms(.|\n)*0 +1 +[\d,.]+ K?B +[\d,.]+ K?B +\d+\.\d\d' }
        $table = Show-Table (Get-ProxyEvent $gateway -Kind HttpRequest).Request $width
        $table | Should -Match 'Time +Client +Method +Host +Path'
        $table | Should -Match 'GET +blog\.localhost\S* +/a/path/that/is/longer/than/it'
        if ($width -ge 120) { $table | Should -Match 'Status +Bytes +First ms +Total ms(.|\n)* 200 +100 B +\d+\.\d\d +\d+\.\d\d' }
        Join-Wrapped (Show-Table (New-TunnelIdentity "$TestDrive/view.pem" -Force) $width) | Should -BeLike '*view.pem*'
    }
}
