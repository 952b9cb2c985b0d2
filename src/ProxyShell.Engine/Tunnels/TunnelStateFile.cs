using System.Text.Json;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The file of a <see cref="TunnelState"/>. It is replaced as a whole, so that whenever the machine stops there is one that can be read.</summary>
internal sealed class TunnelStateFile(string path)
{
    private const int Version = 1;

    /// <summary>Reads the file; a state with nothing in it when there is none.</summary>
    /// <exception cref="FormatException">It cannot be read; the message names it.</exception>
    public TunnelState Load()
    {
        try
        {
            if (!File.Exists(path)) return new TunnelState();
            using FileStream file = File.OpenRead(path);
            TunnelState state = JsonSerializer.Deserialize(file, TunnelStateJson.Default.TunnelState) ?? new TunnelState();
            return state is { Version: Version, Names: not null, Pool: not null, Tcp: not null, Udp: not null }
                ? state
                : throw new FormatException($"StateFile '{path}' is of version {state.Version} or has something missing; this gateway reads version {Version}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            // a parser quotes what it found, which may be the end of a line
            throw new FormatException($"StateFile '{path}' cannot be read: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>Replaces the file; failures are those of the file system.</summary>
    public void Save(TunnelState state)
    {
        string next = path + ".new";
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, state, TunnelStateJson.Default.TunnelState);
            file.Flush(flushToDisk: true);
        }
        File.Move(next, path, overwrite: true);
    }
}
