using System.Text.RegularExpressions;
using Xunit;

namespace ProxyShell.Tests.Contract;

public sealed partial class CmdletContractTests
{
    // Get-Verb of PowerShell 7.6
    private static readonly HashSet<string> ApprovedVerbs =
    [
        "Add", "Clear", "Close", "Copy", "Enter", "Exit", "Find", "Format", "Get", "Hide", "Join", "Lock", "Move", "New", "Open", "Optimize", "Pop", "Push", "Redo",
        "Remove", "Rename", "Reset", "Resize", "Search", "Select", "Set", "Show", "Skip", "Split", "Step", "Switch", "Undo", "Unlock", "Watch", "Backup", "Checkpoint",
        "Compare", "Compress", "Convert", "ConvertFrom", "ConvertTo", "Dismount", "Edit", "Expand", "Export", "Group", "Import", "Initialize", "Limit", "Merge", "Mount",
        "Out", "Publish", "Restore", "Save", "Sync", "Unpublish", "Update", "Approve", "Assert", "Build", "Complete", "Confirm", "Deny", "Deploy", "Disable", "Enable",
        "Install", "Invoke", "Register", "Request", "Restart", "Resume", "Start", "Stop", "Submit", "Suspend", "Uninstall", "Unregister", "Wait", "Debug", "Measure",
        "Ping", "Repair", "Resolve", "Test", "Trace", "Connect", "Disconnect", "Read", "Receive", "Send", "Write", "Block", "Grant", "Protect", "Revoke", "Unblock",
        "Unprotect", "Use",
    ];

    private static readonly HashSet<string> VerbsThatChangeState = ["Start", "Stop", "Set", "Remove", "Register", "Unregister"];

    [Fact]
    public void The_module_has_cmdlets() => Assert.NotEmpty(ModuleUnderTest.Cmdlets);

    [Fact]
    public void Every_verb_is_approved() => Assert.All(ModuleUnderTest.Cmdlets, cmdlet => Assert.Contains(cmdlet.Verb, ApprovedVerbs));

    [Fact]
    public void Every_cmdlet_says_what_it_writes() => Assert.All(ModuleUnderTest.Cmdlets, cmdlet => Assert.NotEmpty(cmdlet.OutputTypes));

    [Fact]
    public void Every_cmdlet_that_changes_state_supports_WhatIf() =>
        Assert.All(ModuleUnderTest.Cmdlets.Where(cmdlet => VerbsThatChangeState.Contains(cmdlet.Verb)), cmdlet => Assert.True(cmdlet.SupportsShouldProcess, cmdlet.Name));

    [Fact]
    public void The_manifest_exports_exactly_the_cmdlets_of_the_assembly()
    {
        string manifest = ModuleUnderTest.ReadFile("ProxyShell.psd1");
        string list = CmdletList().Match(manifest).Groups["list"].Value;
        Assert.Equal(ModuleUnderTest.Cmdlets.Select(cmdlet => cmdlet.Name), Quoted().Matches(list).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("FunctionsToExport")]
    [InlineData("AliasesToExport")]
    [InlineData("VariablesToExport")]
    public void The_manifest_exports_nothing_else(string key) =>
        Assert.Matches($@"(?m)^\s*{key}\s*=\s*@\(\)\s*$", ModuleUnderTest.ReadFile("ProxyShell.psd1"));

    [Fact]
    public void The_manifest_names_files_that_exist()
    {
        string manifest = ModuleUnderTest.ReadFile("ProxyShell.psd1");
        Assert.All(Ps1Xml().Matches(manifest), match => Assert.True(File.Exists(Path.Combine(ModuleUnderTest.Root, "src", "ProxyShell", match.Value)), match.Value));
    }

    [Fact]
    public void The_manifest_has_the_version_of_the_assembly() =>
        Assert.Contains($"ModuleVersion        = '{ModuleUnderTest.Assembly.GetName().Version!.ToString(3)}'", ModuleUnderTest.ReadFile("ProxyShell.psd1"), StringComparison.Ordinal);

    [GeneratedRegex(@"CmdletsToExport\s*=\s*@\((?<list>[^)]*)\)")]
    private static partial Regex CmdletList();

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"[\w.]+\.ps1xml")]
    private static partial Regex Ps1Xml();
}
