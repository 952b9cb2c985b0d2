using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>The example of docs/sessions.md for users of the library: it is what stands below, and it works.</summary>
public class LibraryExampleTests
{
    private const string Begin = "    // the example begins\n", End = "    // the example ends\n";

    [Fact]
    public async Task The_example_works()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient();
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint).Within();
        using TcpClient far = await listener.AcceptTcpClientAsync().Within();
        Task serving = ServeAsync(far.GetStream(), default);
        await using (MultiplexedSession session = await MultiplexedSession.StartAsync(near.GetStream(), new SessionOptions(), default))
        {
            string[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AskAsync(session, $"hello {i}", default))).Within();
            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"HELLO {i}"), answers);
            var error = await Assert.ThrowsAsync<ProxyException>(() => session.OfferAsync("lower", default).Within());
            Assert.Equal((ProxyErrorReason.Forbidden, "there is no 'lower' here"), (error.Reason, error.Detail));
        }
        await Assert.ThrowsAsync<ProxyException>(() => serving.Within());
    }

    [Fact]
    public void The_page_shows_it()
    {
        string source = File.ReadAllText(Path.Combine(Repository.Root, "tests", "ProxyShell.Engine.Tests", "Sessions", "LibraryExampleTests.cs"));
        int begin = source.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        IEnumerable<string> lines = source[begin..source.IndexOf(End, begin, StringComparison.Ordinal)].Split('\n').Select(line => line.StartsWith("    ", StringComparison.Ordinal) ? line[4..] : line);
        string example = string.Join('\n', lines).Replace("private static", "static", StringComparison.Ordinal).Trim();
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "sessions.md"));
        string shown = page.Split("```csharp\n")[1];
        Assert.Equal(example, shown[..shown.IndexOf("```", StringComparison.Ordinal)].Trim());
    }

    // the example begins
    private static async Task ServeAsync(Stream stream, CancellationToken cancellationToken)
    {
        await using MultiplexedSession session = await MultiplexedSession.StartAsync(stream, new SessionOptions(), cancellationToken);
        while (true)
        {
            ChannelOffer offer = await session.NextOfferAsync(cancellationToken);
            if (offer.Name == "upper") _ = AnswerAsync(offer.Accept(), cancellationToken);
            else offer.Reject(new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Request, null, $"there is no '{offer.Name}' here"));
        }
    }

    private static async Task AnswerAsync(SessionChannel channel, CancellationToken cancellationToken)
    {
        await using SessionChannel answering = channel;
        var buffer = new byte[4096];
        int count;
        while ((count = await channel.ReadAsync(buffer, cancellationToken)) > 0)
        {
            string text = Encoding.UTF8.GetString(buffer, 0, count);
            await channel.WriteAsync(Encoding.UTF8.GetBytes(text.ToUpperInvariant()), cancellationToken);
        }
        await channel.CompleteWritesAsync(cancellationToken);
    }

    private static async Task<string> AskAsync(MultiplexedSession session, string text, CancellationToken cancellationToken)
    {
        await using SessionChannel channel = await session.OfferAsync("upper", cancellationToken);
        await channel.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        await channel.CompleteWritesAsync(cancellationToken);
        var answer = new byte[4096];
        int length = 0, count;
        while ((count = await channel.ReadAsync(answer.AsMemory(length), cancellationToken)) > 0) length += count;
        return Encoding.UTF8.GetString(answer, 0, length);
    }
    // the example ends
}
