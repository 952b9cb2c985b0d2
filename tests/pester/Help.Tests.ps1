# Help as PowerShell shows it, and as the sources of the help say it.

BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $cmdlets = Get-Command -Module ProxyShell | ForEach-Object { @{ Name = $_.Name } }
}

BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'help of <Name>' -ForEach $cmdlets {
    BeforeAll { $help = Get-Help $Name -Full }

    It 'is found, with text of its own' {
        $help.Synopsis | Should -Not -Match "^\s*$Name"
        $help.description.Text | Should -Not -BeNullOrEmpty
    }

    It 'has examples that parse and use parameters that exist' {
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
        foreach ($code in $help.examples.example.code) {
            $faults = $null
            $tree = [Management.Automation.Language.Parser]::ParseInput($code, [ref]$null, [ref]$faults)
            $faults | Should -BeNullOrEmpty -Because $code
            foreach ($use in $tree.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true)) {
                $command = Get-Command $use.GetCommandName() -ErrorAction Ignore
                if ($command.ModuleName -ne 'ProxyShell') { continue }
                foreach ($parameter in $use.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] }) {
                    $command.Parameters.Keys | Should -Contain $parameter.ParameterName -Because $code
                }
            }
        }
    }
}

Describe 'the help files' {
    It 'are what the pages say' {
        $made = Join-Path $TestDrive help.xml
        & "$PSScriptRoot/../../src/ProxyShell/Help/Build-Help.ps1" -Module $modulePath -OutFile $made
        Get-Content $made -Raw | Should -Be (Get-Content "$PSScriptRoot/../../en-US/ProxyShell.dll-Help.xml" -Raw) -Because 'after a change of a page or a cmdlet, src/ProxyShell/Help/Build-Help.ps1 makes the help anew'
    }

    It 'have the topic' { Get-Help about_ProxyShell | Out-String | Should -Match 'QUICK START' }
}
