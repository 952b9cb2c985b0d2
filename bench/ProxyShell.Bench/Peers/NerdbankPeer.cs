using System.Globalization;
using System.Text.Json;
using ProxyShell.Bench.Sessions;

namespace ProxyShell.Bench.Peers;

/// <summary>The npm package nerdbank-streams between two processes of node, with its own settings; tests/interop/npm/install.sh installs it.</summary>
internal sealed class NerdbankPeer : ISessionPeer
{
    private const string Script = "nerdbank.mjs";

    private static readonly string[] Package = ["out", "npm", "node_modules", "nerdbank-streams"];

    public string Id => "nerdbank";

    public string Name => "npm nerdbank-streams";

    public RelayService Service => RelayService.Session;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion()
    {
        if (InstalledProgram.FindLine("node", "--version", "v") is not { } node || PackageDirectory() is not { } package)
            return null;
        using JsonDocument about = JsonDocument.Parse(File.ReadAllText(Path.Combine(package, "package.json")));
        return $"{about.RootElement.GetProperty("version").GetString()} on node {node}";
    }

    public ProcessCommand Prepare(RelayPlan plan) => Join(plan, SessionRoles.Near, plan.Forwards.Select(forward => $"{forward.Port}={forward.DestinationPort}"));

    public ProcessCommand PrepareDriver(RelayPlan plan) => Join(plan, SessionRoles.Driver, []);

    private static ProcessCommand Join(RelayPlan plan, string role, IEnumerable<string> forwards)
    {
        string node = InstalledProgram.Find("node")!, script = Place(plan.Directory);
        return TwoEnds.Join(
            new ProcessCommand(node, [script, SessionRoles.Far, Text(plan.CarrierPort)]),
            new ProcessCommand(node, ["--expose-gc", script, role, Text(plan.DialledPort), .. forwards]));
    }

    // node looks for packages beside the script that imports them
    private static string Place(string directory)
    {
        string modules = Path.Combine(directory, "node_modules"), script = Path.Combine(directory, Script);
        if (!Directory.Exists(modules))
            Directory.CreateSymbolicLink(modules, Path.GetDirectoryName(PackageDirectory())!);
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Sessions", Script), script, overwrite: true);
        return script;
    }

    private static string? PackageDirectory()
    {
        string? package = Repository.Find() is { } repository ? Path.Combine([repository, .. Package]) : null;
        return Directory.Exists(package) ? package : null;
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
