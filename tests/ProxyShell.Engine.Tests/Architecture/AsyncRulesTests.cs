using System.Text.RegularExpressions;

namespace ProxyShell.Engine.Tests.Architecture;

/// <summary>Nobody blocks on a task, and every task has an owner.</summary>
public class AsyncRulesTests
{
    /// <summary>Where PowerShell itself calls and wants an answer before it goes on: cmdlets, and the stop and the disposal of a job.</summary>
    private static readonly string[] Waiters = ["ProxyCmdlet.cs", "ProxyJob.Lifetime.cs"];

    public static TheoryData<string, string> Rules => new()
    {
        { "async void", @"\basync\s+void\b" },
        { "Task.Result", @"\.Result\b(?!\s*\()" },
        { "Task.Wait()", @"\.Wait\s*\(" },
        { "GetAwaiter().GetResult()", @"GetAwaiter\(\)\s*\.GetResult\(\)" },
        { "Thread.Sleep", @"\bThread\.Sleep\b" },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_engine_does_without(string rule, string pattern) => AssertAbsent(rule, pattern, Path.Combine("src", "ProxyShell.Engine"), []);

    [Theory]
    [MemberData(nameof(Rules))]
    public void Module_and_host_do_without(string rule, string pattern)
    {
        AssertAbsent(rule, pattern, Path.Combine("src", "ProxyShell"), Waiters);
        AssertAbsent(rule, pattern, Path.Combine("src", "ProxyShell.Host"), Waiters);
    }

    private static void AssertAbsent(string rule, string pattern, string folder, string[] except)
    {
        string path = Path.Combine(Repository.Root, folder);
        IEnumerable<string> found =
            from file in SourceTree.Files(path)
            where !except.Contains(Path.GetFileName(file))
            from line in SourceTree.Code(file)
            where Regex.IsMatch(line.Text, pattern)
            select $"{Path.GetRelativePath(Repository.Root, file)}:{line.Number} has {rule}: {line.Text.Trim()}";
        Assert.Empty(found);
    }
}
