using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>HTTP by hand over a socket, byte by byte and with a deadline on each.</summary>
internal sealed class WebStream(Socket socket)
{
    private readonly byte[] _one = new byte[1];

    public Socket Socket => socket;

    /// <summary>Reads to the empty line; null at the end of the stream.</summary>
    public async Task<string?> ReadHeadAsync()
    {
        var head = new StringBuilder();
        while (!EndsWith(head, "\r\n\r\n"))
        {
            if (await socket.ReceiveAsync(_one).Within() == 0) return head.Length == 0 ? null : throw new EndOfStreamException($"the stream ended within the head '{head}'");
            head.Append((char)_one[0]);
        }
        return head.ToString();
    }

    /// <summary>Reads the body that belongs to a head, with its chunk lines as they are.</summary>
    public async Task<string> ReadBodyAsync(string head)
    {
        if (Regex.IsMatch(head, "^Transfer-Encoding:", RegexOptions.IgnoreCase | RegexOptions.Multiline)) return await ReadChunkedAsync();
        Match length = Regex.Match(head, @"^Content-Length: *(\d+)", RegexOptions.IgnoreCase | RegexOptions.Multiline);
        return length.Success ? await ReadAsync(int.Parse(length.Groups[1].Value, CultureInfo.InvariantCulture)) : "";
    }

    public async Task<string> ReadAsync(int length)
    {
        var bytes = new byte[length];
        for (int read = 0; read < length;)
        {
            int count = await socket.ReceiveAsync(bytes.AsMemory(read)).AsTask().Within();
            Assert.True(count > 0, $"the stream ended after {read} of {length} bytes: {Encoding.Latin1.GetString(bytes, 0, read)}");
            read += count;
        }
        return Encoding.Latin1.GetString(bytes);
    }

    /// <summary>Reads to the end of the stream.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await socket.ReceiveAsync(buffer).Within()) > 0) text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        return text.ToString();
    }

    public Task SendAsync(string text) => Origin.SendAllAsync(socket, Encoding.Latin1.GetBytes(text)).Within();

    private async Task<string> ReadChunkedAsync()
    {
        var body = new StringBuilder();
        while (true)
        {
            string line = await ReadLineAsync();
            body.Append(line);
            int size = int.Parse(line.Split(';')[0].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0) break;
            body.Append(await ReadAsync(size + 2));
        }
        string trailer;
        do body.Append(trailer = await ReadLineAsync());
        while (trailer != "\r\n");
        return body.ToString();
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (!EndsWith(line, "\r\n")) line.Append(await ReadAsync(1));
        return line.ToString();
    }

    private static bool EndsWith(StringBuilder text, string end) =>
        text.Length >= end.Length && text.ToString(text.Length - end.Length, end.Length) == end;
}
