using System.Text.RegularExpressions;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Engine.Tests.Architecture;

/// <summary>The rooms of the engine use each other one way only, and each type is where its name says (docs/architecture.md).</summary>
public class EngineRoomTests
{
    private const string Engine = "ProxyShell.Engine";

    /// <summary>Lowest first: a room may use those of the rows above its own.</summary>
    private static readonly string[][] Rows =
    [
        ["Addressing"], ["Diagnostics"], ["Security"], ["Protocols"], ["Transport"], ["Relaying"], ["Sessions"], ["Chains"], ["Routing"], ["Serving"], ["Inbound"], ["Proxying", "Access", "Tunnels", "Striping"], ["Configuration"],
    ];

    private static string EngineFolder => Path.Combine(Repository.Root, "src", Engine);

    private static string AssemblyPath => typeof(ProxyServer).Assembly.Location;

    [Fact]
    public void Every_room_has_its_place_in_the_order()
    {
        using var map = new AssemblyMap(AssemblyPath);
        IEnumerable<string> rooms = map.Types.Select(t => Room(t.Namespace + ".x")).Distinct();
        Assert.Empty(rooms.Where(room => Row(room) < 0).Select(room => $"{room} is a new room: say in this test which rooms it may use"));
    }

    [Fact]
    public void Rooms_use_only_rooms_below_them()
    {
        using var map = new AssemblyMap(AssemblyPath);
        List<(string From, string To)> uses = [.. map.Uses()];
        Assert.True(uses.Count > 200, $"only {uses.Count} uses were found: is the map still drawn right?");
        Assert.Contains(($"{Engine}.Chains.RelayFlight", $"{Engine}.Protocols.RelayRequestCodec"), uses);
        Assert.Contains(($"{Engine}.Proxying.ProxyServer", $"{Engine}.Inbound.InboundSwitch"), uses);
        Assert.Empty(uses
            .Where(u => Room(u.From) != Room(u.To) && Row(Room(u.To)) >= Row(Room(u.From)))
            .Select(u => $"{u.From} uses {u.To}")
            .Distinct());
    }

    [Fact]
    public void The_engine_needs_nothing_but_the_framework()
    {
        using var map = new AssemblyMap(AssemblyPath);
        Assert.NotEmpty(map.References);
        // so its API holds no third party's types either, and it knows nothing of PowerShell
        string[] allowed = ["Microsoft.Extensions.Logging.Abstractions", "System.Threading.RateLimiting", "Microsoft.Win32.Primitives"];
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.All(map.References, name => Assert.True(allowed.Contains(name) || File.Exists(Path.Combine(framework, name + ".dll")), name));
        Assert.DoesNotContain(map.References, name => name.Contains("Automation", StringComparison.Ordinal) || name.Contains("PowerShell", StringComparison.Ordinal));
    }

    [Fact]
    public void Namespace_is_folder()
    {
        foreach (string file in SourceTree.Files(EngineFolder))
        {
            string folder = Path.GetRelativePath(EngineFolder, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.');
            Match found = Regex.Match(File.ReadAllText(file), @"^namespace ([\w.]+);", RegexOptions.Multiline);
            if (found.Success) Assert.Equal(folder == "." ? Engine : $"{Engine}.{folder}", found.Groups[1].Value);
        }
    }

    [Fact]
    public void Every_type_has_a_file_of_its_name()
    {
        using var map = new AssemblyMap(AssemblyPath);
        Assert.Empty(map.Types.Where(t => !HasFile(t.Namespace, t.Name)).Select(t => $"{t.Namespace}.{t.Name} is in a file of another name"));
    }

    private static bool HasFile(string space, string name)
    {
        string folder = Path.Combine([EngineFolder, .. space[Engine.Length..].Split('.', StringSplitOptions.RemoveEmptyEntries)]);
        return File.Exists(Path.Combine(folder, name + ".cs"));
    }

    private static string Room(string type) => type[(Engine.Length + 1)..].Split('.')[0];

    private static int Row(string room) => Array.FindIndex(Rows, row => row.Contains(room));
}
