#Requires -Version 7.6
<#
.SYNOPSIS
Writes en-US/ProxyShell.dll-Help.xml from the pages beside this script and the cmdlets of the module.
.DESCRIPTION
The pages hold what people have to say; names, types, positions, pipeline input and parameter sets come from the cmdlets, so
that they cannot be wrong. A parameter that its page does not describe is described in Common.md. Fails when anything is missing.
.PARAMETER Module
The staged module, for example out/ProxyShell.
#>
param(
    [string] $Module = (Join-Path $PSScriptRoot .. .. .. out ProxyShell),
    [string] $OutFile = (Join-Path $PSScriptRoot .. .. .. en-US ProxyShell.dll-Help.xml)
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3
Import-Module $Module

$namespaces = @{ maml = 'http://schemas.microsoft.com/maml/2004/10'; command = 'http://schemas.microsoft.com/maml/dev/command/2004/10'; dev = 'http://schemas.microsoft.com/maml/dev/2004/10' }
# what users give for the types that only read arguments
$shownTypes = @{ KeyArgument = 'ProxyKey'; HopArgument = 'ProxyHop'; ChainArgument = 'ProxyChain'; EndpointArgument = 'String'; CertificateArgument = 'X509Certificate2'; JobArgument = 'ProxyJob'; CredentialArgument = 'PSCredential'; TokenArgument = 'String'; GatewayArgument = 'String'; PeerArgument = 'String' }

# A page as a tree: heading -> text before the first subheading ('') and subheadings with their text, in order.
function Read-Page([string] $Path) {
    $page = [ordered]@{}; $section = $page[''] = [ordered]@{ '' = '' }; $part = ''; $inCode = $false
    foreach ($line in Get-Content $Path) {
        if ($line -match '^```') { $inCode = -not $inCode }
        if (-not $inCode -and $line -match '^## (.+)') { $section = $page[$Matches[1]] = [ordered]@{ '' = '' }; $part = '' }
        elseif (-not $inCode -and $line -match '^### (.+)') { $part = $Matches[1]; $section[$part] = '' }
        elseif ($line -notmatch '^# ') { $section[$part] += "$line`n" }
    }
    $page
}

function Split-Paragraphs([string] $Text) { $Text.Trim() -split '\n\s*\n' | Where-Object { $_ } }

function Write-Element([string] $Name, [object] $Content, [hashtable] $Attributes = @{}) {
    $prefix, $local = $Name -split ':'
    $xml.WriteStartElement($prefix, $local, $namespaces[$prefix])
    foreach ($key in $Attributes.Keys | Sort-Object) { $xml.WriteAttributeString($key, "$($Attributes[$key])") }
    if ($Content -is [scriptblock]) { $null = & $Content } elseif ($null -ne $Content) { $xml.WriteString("$Content") }
    $xml.WriteEndElement()
}

function Write-Paragraphs([string] $Name, [string] $Text) {
    Write-Element $Name { foreach ($paragraph in Split-Paragraphs $Text) { Write-Element maml:para ($paragraph -replace '\s*\n\s*', ' ') } }
}

function Get-ShownType([type] $Type) {
    $array = if ($Type.IsArray) { '[]' } else { '' }
    $single = if ($Type.IsArray) { $Type.GetElementType() } else { $Type }
    $single = [nullable]::GetUnderlyingType($single) ?? $single
    ($shownTypes[$single.Name] ?? $single.Name) + $array
}

function Write-Parameter($Parameter, $Page, [switch] $InSyntax) {
    $text = if ($Page['Parameters'].Contains($Parameter.Name)) { $Page['Parameters'][$Parameter.Name] } else { $common['Parameters'][$Parameter.Name] }
    if (-not $text) { throw "$($Page.Name): parameter $($Parameter.Name) is not described" }
    $paragraphs = @(Split-Paragraphs $text)
    $default = $paragraphs | Where-Object { $_ -match '^Default: ' } | ForEach-Object { $_ -replace '^Default: ' }
    $pipeline = @(if ($Parameter.ValueFromPipeline) { 'ByValue' }; if ($Parameter.ValueFromPipelineByPropertyName) { 'ByPropertyName' }) -join ', '
    $isSwitch = $Parameter.ParameterType -eq [switch]
    $type = Get-ShownType $Parameter.ParameterType
    Write-Element command:parameter -Attributes @{
        required = "$($Parameter.IsMandatory)".ToLower(); variableLength = 'true'; globbing = "$($Parameter.Attributes.TypeId.Name -contains 'SupportsWildcardsAttribute')".ToLower()
        pipelineInput = if ($pipeline) { "True ($pipeline)" } else { 'False' }
        position = if ($Parameter.Position -ge 0) { $Parameter.Position } else { 'named' }; aliases = if ($Parameter.Aliases.Count) { $Parameter.Aliases -join ', ' } else { 'none' }
    } -Content {
        Write-Element maml:name $Parameter.Name
        Write-Paragraphs maml:description (($paragraphs -notmatch '^Default: ') -join "`n`n")
        if ($Parameter.ParameterType.IsEnum -and $InSyntax) { Write-Element command:parameterValueGroup { foreach ($name in [enum]::GetNames($Parameter.ParameterType)) { Write-Element command:parameterValue $name @{ required = 'false'; variableLength = 'false' } } } }
        if (-not $isSwitch) { Write-Element command:parameterValue $type @{ required = 'true'; variableLength = 'false' } }
        Write-Element dev:type { Write-Element maml:name $type; Write-Element maml:uri }
        Write-Element dev:defaultValue ($isSwitch ? 'False' : $default ?? 'None')
    }
}

function Get-OwnParameters($Set) { $Set.Parameters | Where-Object { $_.Name -notin [Management.Automation.PSCmdlet]::CommonParameters } }

function Write-Examples($Page) {
    foreach ($title in $Page['Examples'].Keys | Where-Object { $_ }) {
        if ($Page['Examples'][$title] -notmatch '(?s)```powershell\n(.*?)\n```\s*(.*)') { throw "$($Page.Name): example '$title' has no code" }
        $code, $remarks = $Matches[1], $Matches[2]
        Write-Element command:example {
            Write-Element maml:title "Example: $title"
            Write-Element dev:code $code
            Write-Paragraphs dev:remarks $remarks
        }
    }
}

function Write-Types($Page, [string] $Section, [string] $List, [string] $Item) {
    Write-Element $List {
        foreach ($type in $Page[$Section].Keys | Where-Object { $_ }) {
            Write-Element $Item { Write-Element dev:type { Write-Element maml:name $type }; Write-Paragraphs maml:description $Page[$Section][$type] }
        }
    }
}

function Write-Cmdlet($Command) {
    $page = Read-Page (Join-Path $PSScriptRoot "$($Command.Name).md")
    $page.Name = $Command.Name
    Write-Element command:command {
        Write-Element command:details {
            Write-Element command:name $Command.Name
            Write-Element command:verb $Command.Verb
            Write-Element command:noun $Command.Noun
            Write-Paragraphs maml:description $page[''][''] }
        Write-Paragraphs maml:description $page['Description']['']
        Write-Element command:syntax { foreach ($set in $Command.ParameterSets) {
                Write-Element command:syntaxItem { Write-Element maml:name $Command.Name; foreach ($parameter in Get-OwnParameters $set) { Write-Parameter $parameter $page -InSyntax } } } }
        Write-Element command:parameters { Get-OwnParameters ([pscustomobject]@{ Parameters = $Command.ParameterSets.Parameters }) | Group-Object Name | ForEach-Object { Write-Parameter $_.Group[0] $page } }
        Write-Types $page Inputs command:inputTypes command:inputType
        Write-Types $page Outputs command:returnValues command:returnValue
        if ($page['Notes']) { Write-Element maml:alertSet { Write-Paragraphs maml:alert $page['Notes'][''] } }
        Write-Element command:examples { Write-Examples $page }
        Write-Element command:relatedLinks { foreach ($link in [regex]::Matches($page['Related'][''], '(?m)^- (.+)$')) {
                Write-Element maml:navigationLink { Write-Element maml:linkText $link.Groups[1].Value.Trim(); Write-Element maml:uri } } }
    }
}

$common = Read-Page (Join-Path $PSScriptRoot Common.md)
$settings = [Xml.XmlWriterSettings]@{ Indent = $true; NewLineChars = "`n"; Encoding = [Text.UTF8Encoding]::new($false) }
$xml = [Xml.XmlWriter]::Create($OutFile, $settings)
try {
    $xml.WriteStartElement('helpItems', 'http://msh')
    $xml.WriteAttributeString('schema', 'maml')
    foreach ($prefix in $namespaces.Keys | Sort-Object) { $xml.WriteAttributeString('xmlns', $prefix, $null, $namespaces[$prefix]) }
    foreach ($command in Get-Command -Module ProxyShell -CommandType Cmdlet | Sort-Object Name) { Write-Cmdlet $command }
    $xml.WriteEndElement()
}
finally { $xml.Dispose() }
