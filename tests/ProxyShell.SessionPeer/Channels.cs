using System.Security.Cryptography;
using System.Text;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.SessionPeer;

/// <summary>What both roles do with channels.</summary>
internal static class Channels
{
    public static async Task<byte[]> ReadToEndAsync(SessionChannel channel)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int count; (count = await channel.ReadAsync(buffer, CancellationToken.None)) > 0;) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    public static async Task<string> SumAsync(SessionChannel channel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        for (int count; (count = await channel.ReadAsync(buffer, CancellationToken.None)) > 0;) hash.AppendData(buffer, 0, count);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static async Task SendAsync(SessionChannel channel, byte[] bytes, int times = 1)
    {
        for (int i = 0; i < times; i++) await channel.WriteAsync(bytes, CancellationToken.None);
        await channel.CompleteWritesAsync(CancellationToken.None);
    }

    public static async Task SendAsync(SessionChannel channel, string text) => await SendAsync(channel, Encoding.UTF8.GetBytes(text));

    public static async Task EchoAsync(SessionChannel channel)
    {
        var buffer = new byte[64 * 1024];
        for (int count; (count = await channel.ReadAsync(buffer, CancellationToken.None)) > 0;) await channel.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
        await channel.CompleteWritesAsync(CancellationToken.None);
    }
}
