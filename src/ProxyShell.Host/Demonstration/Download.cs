using System.Security.Cryptography;

namespace ProxyShell.Host.Demonstration;

/// <summary>Downloads the file of the demonstration, shows something half-way, and compares checksums.</summary>
internal sealed class Download(TextWriter writer, DemoOrigin origin)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>True when the file arrived unchanged. <paramref name="host"/> is the Host that is asked for, where it is not the address.</summary>
    public async Task<bool> RunAsync(int port, string? host, Action halfWay, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{port}/file"));
        request.Headers.Host = host;
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        using Stream body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        string received = await HashAsync(body, halfWay, cancellationToken).ConfigureAwait(false);
        bool equal = received == origin.Checksum;
        writer.WriteLine($"\nSHA-256 at the origin  {origin.Checksum}\nSHA-256 as received    {received}  {(equal ? "equal" : "DIFFERENT")}");
        return equal;
    }

    private async Task<string> HashAsync(Stream body, Action halfWay, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        bool shown = false;
        for (long total = 0; await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var count;)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            total += count;
            if (!shown && total >= origin.Length / 2) halfWay();
            shown |= total >= origin.Length / 2;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
