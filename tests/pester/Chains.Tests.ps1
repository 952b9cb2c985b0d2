# Hops, chains and keys: all the ways in which users write them.

BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'New-ProxyKey' {
    It 'makes random keys and reads back their text' {
        $key = New-ProxyKey
        (New-ProxyKey).Id | Should -Not -Be $key.Id
        $key.Reveal() | Should -Match '^[A-Za-z0-9_-]{43}$'
        (New-ProxyKey -Text $key.Reveal()) | Should -Be $key
        ($key.Reveal() | New-ProxyKey) | Should -Be $key
        $secure = ConvertTo-SecureString $key.Reveal() -AsPlainText -Force
        (New-ProxyKey -SecureString $secure) | Should -Be $key
    }

    It 'refuses what is no key without repeating it' {
        New-ProxyKey -Text 'hunter2' -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidKey,*'
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        "$($problem[0])$($problem[0].TargetObject)" | Should -Not -BeLike '*hunter2*'
    }
}

Describe 'New-ProxyHop' {
    AfterEach { Remove-AllProxyJobs }

    It 'reads a URI' {
        $key = New-ProxyKey
        $hop = New-ProxyHop "relay://$($key.Reveal())@example.org:4101"
        $hop.Uri | Should -Be 'relay://example.org:4101'
        $hop.Key | Should -Be $key
        (New-ProxyHop 'relays://[::1]:4101').Scheme | Should -Be relays
        (New-ProxyHop relay+unix:/run/p.sock).Endpoint | Should -Be unix:/run/p.sock
    }

    It 'takes the parts' {
        (New-ProxyHop -HostName example.org -Port 4101).Uri | Should -Be relay://example.org:4101
        (New-ProxyHop -HostName ::1 -Port 4101 -Tls -ServerName p.example).Uri | Should -Be 'relays://[::1]:4101'
    }

    It 'reads the URI <Uri> of a hop that speaks <Protocol>' -ForEach @(
        @{ Uri = 'relay+ws://a/way'; Protocol = 'Relay'; Shown = 'relay+ws://a:80/way' }
        @{ Uri = 'relay+wss://a'; Protocol = 'Relay'; Shown = 'relay+wss://a:443' }
        @{ Uri = 'socks5://u:p@a'; Protocol = 'Socks5'; Shown = 'socks5://a:1080' }
        @{ Uri = 'socks5h://a:9050'; Protocol = 'Socks5'; Shown = 'socks5://a:9050' }
        @{ Uri = 'http://a'; Protocol = 'Http'; Shown = 'http://a:80' }
        @{ Uri = 'https://u@a'; Protocol = 'Http'; Shown = 'https://a:443' }
        @{ Uri = 'ssh://me@a'; Protocol = 'Ssh'; Shown = 'ssh://a:22' }
    ) {
        $hop = New-ProxyHop $Uri
        $hop.Uri | Should -Be $Shown
        $hop.Protocol | Should -Be $Protocol
    }

    It 'takes the parts <Parts> as <Uri>' -ForEach @(
        @{ Parts = '-HostName a -Protocol Socks5'; Uri = 'socks5://a:1080' }
        @{ Parts = '-HostName ::1 -Protocol Socks5 -Port 9'; Uri = 'socks5://[::1]:9' }
        @{ Parts = '-HostName [::1] -Protocol Http'; Uri = 'http://[::1]:80' }
        @{ Parts = '-HostName a -Protocol Http -Tls'; Uri = 'https://a:443' }
        @{ Parts = '-HostName a -Protocol Ssh'; Uri = 'ssh://a:22' }
        @{ Parts = '-HostName a -WebSocketPath /in'; Uri = 'relay+ws://a:80/in' }
        @{ Parts = '-HostName a -Tls -WebSocketPath /in -Port 8443'; Uri = 'relay+wss://a:8443/in' }
    ) { (Invoke-Expression "New-ProxyHop $Parts").Uri | Should -Be $Uri }

    It 'refuses the parts <Parts>: <Because>' -ForEach @(
        @{ Parts = '-HostName a'; Because = 'write host:port' }
        @{ Parts = '-HostName a/b -Port 1'; Because = 'no name may have' }
        @{ Parts = '-HostName a -Protocol Ssh -Tls'; Because = 'not spoken over TLS' }
        @{ Parts = '-HostName a -Protocol Http -WebSocketPath /x'; Because = 'A WebSocket carries the relay protocol' }
        @{ Parts = '-HostName a -WebSocketPath x'; Because = 'must begin with a slash' }
    ) {
        Invoke-Expression "New-ProxyHop $Parts -ErrorAction SilentlyContinue -ErrorVariable problem" | Should -BeNullOrEmpty
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidHop,*'
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        $problem[0].TargetObject | Should -BeLike 'a*'
        "$($problem[0])" | Should -BeLike "*$Because*"
    }

    It 'takes a credential as <_>' -ForEach 'PSCredential', 'NetworkCredential', 'ProxyCredential' {
        $given = switch ($_) {
            PSCredential { [pscredential]::new('ad\me', (ConvertTo-SecureString 'p w@:' -AsPlainText -Force)) }
            NetworkCredential { [Net.NetworkCredential]::new('ad\me', 'p w@:') }
            ProxyCredential { [ProxyShell.Engine.Security.ProxyCredential]::new('ad\me', 'p w@:') }
        }
        $hop = New-ProxyHop socks5://a -Credential $given
        $hop.Credential.UserName | Should -Be 'ad\me'
        $hop.Credential.Matches('ad\me', 'p w@:') | Should -BeTrue
        Show-Everything $hop | Should -Not -BeLike '*p w@:*'
    }

    It 'refuses what the hop cannot have: <Command>' -ForEach @(
        @{ Command = 'New-ProxyHop socks5://a -Key (New-ProxyKey)'; Because = 'it has no key' }
        @{ Command = 'New-ProxyHop relay://a:1 -Credential ([pscredential]::new("u", (ConvertTo-SecureString x -AsPlainText)))'; Because = 'takes a -Key and no credential' }
        @{ Command = 'New-ProxyHop socks5://a -Credential hunter2'; Because = 'is not a credential' }
        @{ Command = 'New-ProxyHop http://a -Thumbprint 00'; Because = 'did you mean https' }
        @{ Command = 'New-ProxyChain socks5://a, http://a -Key (New-ProxyKey)'; Because = 'no relay hop that takes it' }
        @{ Command = 'New-ProxyChain relay://a:1 -Credential ([pscredential]::new("u", (ConvertTo-SecureString x -AsPlainText)))'; Because = 'all hops are relay hops' }
        @{ Command = 'New-ProxyChain relay://a:1 | Add-ProxyHop socks5://a -Key (New-ProxyKey)'; Because = 'no relay hop that takes it' }
    ) {
        & ([scriptblock]::Create("$Command -ErrorAction SilentlyContinue -ErrorVariable script:problem")) | Should -BeNullOrEmpty
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidHop,*'
        "$($problem[0])" | Should -BeLike "*$Because*"
        "$($problem[0])" | Should -Not -BeLike '*hunter2*'
    }

    It 'takes a key as <_>' -ForEach 'ProxyKey', 'text', 'SecureString' {
        $key = New-ProxyKey
        $given = switch ($_) { ProxyKey { $key } text { $key.Reveal() } SecureString { ConvertTo-SecureString $key.Reveal() -AsPlainText -Force } }
        (New-ProxyHop relay://a:1 -Key $given).Key | Should -Be $key
    }

    It 'makes a hop of a proxy server job, with its key' {
        $key = New-ProxyKey
        $job = Start-ProxyServer -Key $key
        ($job | New-ProxyHop).Uri | Should -Be $job.Uri
        (New-ProxyHop $job).Key | Should -Be $key
    }

    It 'refuses <Value>: <Because>' -ForEach @(
        @{ Value = 'http//x'; Because = 'must start with one of relay:' }
        @{ Value = 'relay://host'; Because = 'write host:port' }
        @{ Value = 'relay://host:0'; Because = 'port 0' }
        @{ Value = 'relay://host:99999'; Because = "'99999' is not a port" }
        @{ Value = 42; Because = 'is not a hop' }
    ) {
        New-ProxyHop $Value -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidHop,*'
        $problem[0].TargetObject | Should -Be $Value
        "$($problem[0])" | Should -BeLike "*$Because*"
    }

    It 'masks a key in the error about its URI' {
        New-ProxyHop relay://hunter2@host:1 -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].TargetObject | Should -Be 'relay://***@host:1'
        "$($problem[0])" | Should -Not -BeLike '*hunter2*'
    }

    It 'refuses a thumbprint for a hop without TLS' {
        New-ProxyHop relay://a:1 -Thumbprint ('ab' * 32) -ErrorAction SilentlyContinue -ErrorVariable problem
        "$($problem[0])" | Should -BeLike '*does not use TLS*'
    }
}

Describe 'New-ProxyChain and Add-ProxyHop' {
    AfterEach { Remove-AllProxyJobs }

    It 'keeps the order, from arguments and from the pipeline' {
        (New-ProxyChain relay://a:1, relay://b:2).ToString() | Should -Be 'relay://a:1 > relay://b:2'
        ('relay://a:1', (New-ProxyHop relay://b:2) | New-ProxyChain).ToString() | Should -Be 'relay://a:1 > relay://b:2'
    }

    It 'makes hops of jobs, with their keys' {
        $key = New-ProxyKey
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer -Key $key
        $chain = $p1, $p2 | New-ProxyChain
        $chain.Hops.Uri | Should -Be $p1.Uri, $p2.Uri
        $chain.Hops[1].Key | Should -Be $key
    }

    It 'reads a CSV file' {
        $key = New-ProxyKey; $pin = 'AB' * 32
        Set-Content $TestDrive/hops.csv @('Uri,Key,Thumbprint', 'relay://a:1,,', "relay://b:2,$($key.Reveal()),", "relays://c:3,,$pin")
        $chain = Import-Csv $TestDrive/hops.csv | New-ProxyChain
        $chain.Hops.Uri | Should -Be relay://a:1, relay://b:2, relays://c:3
        $chain.Hops[0].Key | Should -BeNullOrEmpty
        $chain.Hops[1].Key | Should -Be $key
        $chain.Hops[2].Trust.Thumbprint | Should -Be $pin
    }

    It 'reads a CSV file of parts and credentials' {
        Set-Content $TestDrive/parts.csv @('HostName,Port,Protocol,Tls,WebSocketPath,UserName,Password', 'a,4101,,,,,', 'b,,socks5,,,me,p@ss', 'c,8443,Http,yes,,,', 'd,,,true,/in,,')
        $chain = Import-Csv $TestDrive/parts.csv | New-ProxyChain
        $chain.Hops.Uri | Should -Be relay://a:4101, socks5://b:1080, https://c:8443, relay+wss://d:443/in
        $chain.Hops[1].Credential.Matches('me', 'p@ss') | Should -BeTrue
    }

    It 'refuses the row <Row>' -ForEach @(
        @{ Row = @{ HostName = 'a'; Port = '0' }; Because = "Port holds '0'" }
        @{ Row = @{ HostName = 'a'; Protocol = 'gopher' }; Because = "Protocol holds 'gopher'" }
        @{ Row = @{ HostName = 'a'; Protocol = '7' }; Because = "Protocol holds '7'" }
        @{ Row = @{ HostName = 'a'; Port = '1'; Tls = 'maybe' }; Because = "Tls holds 'maybe'" }
        @{ Row = @{ Uri = 'socks5://a'; Password = 'hunter2' }; Because = 'Password and no UserName' }
    ) {
        [pscustomobject]$Row | New-ProxyChain -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidHop,*'
        "$($problem[0])" | Should -BeLike "*$Because*"
        "$($problem[0])" | Should -Not -BeLike '*hunter2*'
    }

    It 'gives keys to relay hops and credentials to the others' {
        $key = New-ProxyKey; $credential = [pscredential]::new('me', (ConvertTo-SecureString x -AsPlainText -Force))
        $chain = New-ProxyChain socks5://a, relay://b:2, http://c -Key $key -Credential $credential
        $chain.Hops.Key.Id | Should -Be $key.Id
        $chain.Hops.Credential.UserName | Should -Be me, me
        $chain.Hops[1].Credential | Should -BeNullOrEmpty
    }

    It 'leaves nothing out that comes down the pipeline: <Name>' -ForEach @(
        @{ Name = 'null'; Value = $null }
        @{ Name = 'empty text'; Value = '' }
        @{ Name = 'an empty array'; Value = , @() }
        @{ Name = 'a row without a URI'; Value = [pscustomobject]@{ Uri = ''; Key = '' } }
        @{ Name = 'a row with a key that is none'; Value = [pscustomobject]@{ Uri = 'relay://b:2'; Key = 1, 2 } }
        @{ Name = 'a row with a thumbprint that is none'; Value = [pscustomobject]@{ Uri = 'relays://b:2'; Thumbprint = @{} } }
    ) {
        $chain = & { 'relay://a:1'; Write-Output -NoEnumerate $Value; 'relay://c:3' } | New-ProxyChain -ErrorAction SilentlyContinue -ErrorVariable problem
        $chain | Should -BeNullOrEmpty -Because 'a chain without one of its hops is another route'
        $problem.Count | Should -BeGreaterThan 0
    }

    It 'takes hops with all they have' {
        $hop = New-ProxyHop relays://b:2 -Key (New-ProxyKey) -ServerName name -Thumbprint ('ab' * 32)
        ('relay://a:1', $hop | New-ProxyChain).Hops[1] | Should -Be $hop
        (New-ProxyHop relay://a:1 | New-ProxyHop).Uri | Should -Be relay://a:1
    }

    It 'never takes an empty key for none' -ForEach "New-ProxyHop relay://a:1 -Key ''", "New-ProxyChain relay://a:1 -Key ''", "Start-ProxyServer -Key ''" {
        & ([scriptblock]::Create("$_ -ErrorAction SilentlyContinue -ErrorVariable problem; `$problem")) | ForEach-Object FullyQualifiedErrorId | Should -Match '^Invalid(Key|Hop),'
        Get-Job | Should -BeNullOrEmpty
    }

    It 'tells of a CSV file without the column' {
        [pscustomobject]@{ Host = 'a'; Port = 1 } | New-ProxyChain -ErrorAction SilentlyContinue -ErrorVariable problem
        "$($problem[0])" | Should -BeLike '*Host, Port*needs a column Uri*'
    }

    It 'composes: + and Add-ProxyHop, leaving the chains as they were' {
        $a = New-ProxyChain relay://a:1; $b = New-ProxyChain relay://b:2, relay://c:3
        ($a + $b).ToString() | Should -Be 'relay://a:1 > relay://b:2 > relay://c:3'
        ($a + (New-ProxyHop relay://d:4)).Count | Should -Be 2
        ($a | Add-ProxyHop relay://d:4).ToString() | Should -Be 'relay://a:1 > relay://d:4'
        ($a | Add-ProxyHop relay://d:4, relay://e:5 -Key (New-ProxyKey)).Hops[1..2].Key.Count | Should -Be 2
        (New-ProxyChain $a, $b).Count | Should -Be 3
        $a.Count | Should -Be 1
    }

    It 'goes through the pipeline as one object' {
        $chain = New-ProxyChain relay://a:1, relay://b:2
        ($chain | Measure-Object).Count | Should -Be 1
    }

    It 'gives no chain at all when a hop is bad, and one error for each bad one' {
        $chain = New-ProxyChain relay://a:1, bad, ('relay://b:2', 'worse'), 5 -ErrorAction SilentlyContinue -ErrorVariable problems
        $chain | Should -BeNullOrEmpty
        $problems.Count | Should -Be 3
        $problems[1].TargetObject | Should -Be '(relay://b:2 | worse)'
        "$($problems[1])" | Should -BeLike "*'worse' is not a hop URI*"
    }

    It 'gives no empty chain, which would mean a direct connection' {
        @() | New-ProxyChain -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        "$($problem[0])" | Should -BeLike 'No hops*'
    }

    It 'refuses a stopped server and a job that is no proxy server' {
        $stopped = Start-ProxyServer; Stop-Job $stopped
        New-ProxyChain $stopped -ErrorAction SilentlyContinue -ErrorVariable problem
        "$($problem[0])" | Should -BeLike '*is Stopped*'
        New-ProxyChain (Start-AccessListener 127.0.0.1:80) -ErrorAction SilentlyContinue -ErrorVariable problem
        "$($problem[0])" | Should -BeLike '*not a proxy server*'
    }

    It 'refuses more hops than a chain may have' {
        $most = [ProxyShell.Engine.Chains.ProxyChain]::MaxHops
        (1..$most | ForEach-Object { "relay://h:$_" } | New-ProxyChain).Count | Should -Be $most
        1..($most + 1) | ForEach-Object { "relay://h:$_" } | New-ProxyChain -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        "$($problem[0])" | Should -BeLike "*at most $most hops*"
    }
}

Describe 'groups of alternates' {
    It '<Command> is <Text>' -ForEach @(
        @{ Command = 'New-ProxyChain socks5://a, ("relay://b:1", "relay://c:1"), http://d'; Text = 'socks5://a:1080 > (relay://b:1 | relay://c:1) > http://d:80' }
        @{ Command = '"socks5://a", ("relay://b:1", "relay://c:1"), "http://d" | New-ProxyChain'; Text = 'socks5://a:1080 > (relay://b:1 | relay://c:1) > http://d:80' }
        @{ Command = 'New-ProxyChain relay://a:1, relay://b:1 -Alternate'; Text = '(relay://a:1 | relay://b:1)' }
        @{ Command = '"relay://a:1", "relay://b:1" | New-ProxyChain -Alternate'; Text = '(relay://a:1 | relay://b:1)' }
        @{ Command = 'New-ProxyChain (New-ProxyChain relay://a:1, relay://b:1), (New-ProxyChain relay://c:1) -Alternate'; Text = '(relay://a:1 > relay://b:1 | relay://c:1)' }
        @{ Command = 'New-ProxyChain ("relay://a:1", "relay://b:1"), relay://c:1 -Alternate'; Text = '(relay://a:1 > relay://b:1 | relay://c:1)' }
        @{ Command = 'New-ProxyChain relay://a:1 | Add-ProxyHop relay://b:1, relay://c:1 -Alternate'; Text = 'relay://a:1 > (relay://b:1 | relay://c:1)' }
        @{ Command = '(New-ProxyChain relay://a:1) + (New-ProxyChain relay://b:1, relay://c:1 -Alternate)'; Text = 'relay://a:1 > (relay://b:1 | relay://c:1)' }
        @{ Command = 'New-ProxyChain relay://a:1, (New-ProxyChain relay://b:1, relay://c:1 -Alternate)'; Text = 'relay://a:1 > (relay://b:1 | relay://c:1)' }
    ) { "$(Invoke-Expression $Command)" | Should -Be $Text }

    It 'choose as -Selection says' {
        (New-ProxyChain relay://a:1, relay://b:1 -Alternate).Places[0].Selection | Should -Be Ordered
        (New-ProxyChain relay://x:1, ('relay://a:1', 'relay://b:1') -Selection LowestLatency).Places[1].Selection | Should -Be LowestLatency
    }

    It 'weigh their alternates, by chance unless told otherwise' {
        $group = (New-ProxyChain relay://a:1, relay://b:1 -Alternate -Weight 3, 1).Places[0]
        $group.Selection | Should -Be Random
        $group.Alternates.Weight | Should -Be 3, 1
        $group = (New-ProxyChain (New-ProxyHop relay://a:1 -Weight 5), relay://b:1 -Alternate -Selection Random).Places[0]
        $group.Alternates.Weight | Should -Be 5, 1
    }

    It 'are probed as often as -ProbeInterval says' {
        $group = New-ProxyChain relay://a:1, relay://b:1 -Alternate
        $group.Places[0].ProbeInterval | Should -Be 00:00:30
        $slow = New-ProxyChain relay://x:1, ('relay://a:1', 'relay://b:1') -ProbeInterval 0:05:00
        $slow.Places[1].ProbeInterval | Should -Be 00:05:00
        (New-ProxyChain $slow -Key (New-ProxyKey)).Places[1].ProbeInterval | Should -Be 00:05:00 -Because 'a key changes nothing else'
        foreach ($interval in 0, 0.5, 86401) { { New-ProxyChain relay://a:1, relay://b:1 -Alternate -ProbeInterval $interval } | Should -Throw '*1 to 86400 seconds*' }
    }

    It 'come from the columns Group and Weight' {
        Set-Content $TestDrive/groups.csv @('Uri,Group,Weight', 'socks5://a,,', 'relay://b:1,middle,3', 'relay://c:1,middle,', 'relay://d:1,last,', 'relay://e:1,last,')
        $chain = Import-Csv $TestDrive/groups.csv | New-ProxyChain
        "$chain" | Should -Be 'socks5://a:1080 > (relay://b:1 | relay://c:1) > (relay://d:1 | relay://e:1)'
        $chain.Places[1].Alternates.Weight | Should -Be 3, 1
    }

    It 'keep their keys, and take new ones' {
        $key = New-ProxyKey
        (New-ProxyChain relay://a:1, ('relay://b:1', 'socks5://c') -Key $key).Hops.Key.Id | Should -Be $key.Id, $key.Id
        $group = New-ProxyChain relay://a:1, relay://b:1 -Alternate -Selection RoundRobin
        $keyed = New-ProxyChain $group -Key $key
        $keyed.Hops.Key.Id | Should -Be $key.Id, $key.Id
        $keyed.Places[0].Selection | Should -Be RoundRobin
        (New-ProxyChain $group, relay://c:1).Places[0] | Should -Be $group.Places[0] -Because 'a group keeps its health in other chains'
    }

    It 'refuse <Command>' -ForEach @(
        @{ Command = 'New-ProxyChain relay://a:1, @()'; Id = 'InvalidHop'; Because = 'alternates, not 0' }
        @{ Command = 'New-ProxyChain relay://a:1, relay://b:1 -Selection Random'; Id = 'InvalidChain'; Because = 'there are none' }
        @{ Command = 'New-ProxyChain relay://a:1, relay://b:1 -ProbeInterval 5'; Id = 'InvalidChain'; Because = 'there are none' }
        @{ Command = 'New-ProxyChain relay://a:1, relay://b:1 -Weight 1, 2'; Id = 'InvalidChain'; Because = 'there are none' }
        @{ Command = 'New-ProxyChain relay://a:1, relay://b:1 -Alternate -Weight 1, 2, 3'; Id = 'InvalidHop'; Because = '2 alternates and 3 weights' }
        @{ Command = 'New-ProxyChain (New-ProxyChain relay://a:1, relay://b:1 -Alternate), relay://c:1 -Alternate'; Id = 'InvalidHop'; Because = 'cannot stand in another group' }
        @{ Command = '[pscustomobject]@{ Uri = "relay://a:1"; Weight = "0" } | New-ProxyChain'; Id = 'InvalidHop'; Because = "Weight holds '0'" }
        @{ Command = 'New-ProxyHop (New-ProxyChain relay://a:1), ("relay://b:1", "relay://c:1")'; Id = 'InvalidHop'; Because = 'where one hop is wanted' }
    ) {
        $null = Invoke-Expression "$Command -ErrorAction SilentlyContinue -ErrorVariable problem"
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        "$($problem[0])" | Should -BeLike "*$Because*"
    }

    It 'mask keys in the error about them' {
        $null = New-ProxyChain relay://a:1, ('relay://hunter2@b:1', 'bad') -ErrorAction SilentlyContinue -ErrorVariable problem
        "$($problem[0])$($problem[0].TargetObject)" | Should -Not -BeLike '*hunter2*'
    }

    It 'let connections take another alternate while one is down' {
        $origin = [ProxyShellTests.Origin]::new()
        $good = Start-ProxyServer; $bad = "relay://127.0.0.1:$(Get-ClosedPort)"
        try {
            $listener = Start-AccessListener $origin.Address -Chain (, ($bad, $good))
            (Invoke-WebRequest "http://127.0.0.1:$($listener.LocalPort)/").StatusCode | Should -Be 200
            $listener.FailedConnections | Should -Be 0
        }
        finally { $origin.Dispose(); Remove-AllProxyJobs }
    }
}
