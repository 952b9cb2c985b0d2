using System.Text;
using ProxyShell.Engine.Tests.Protocols.Http;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Requests and responses that no friend would send, the same for the same seed.</summary>
internal static class HostileHttp
{
    private static readonly string[] Good =
    [
        "GET http://HOST/a?b HTTP/1.1\r\nHost: HOST\r\nConnection: keep-alive, X-A\r\nX-A: 1\r\n\r\n",
        "POST http://HOST/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 11\r\n\r\nhello there",
        "POST http://HOST/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\nX-B: 1\r\n\r\n",
        "CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\nhello",
        "GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET /relay HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u0082\u0085\0\0\0\0\u00f1abcd",
        "HEAD http://HOST HTTP/1.0\r\n\r\n",
    ];

    private static readonly string[] Responses =
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    ];

    /// <summary>What a client might send to a proxy; HOST in it is the given authority.</summary>
    public static byte[] Request(Random random, string host)
    {
        string text = random.Next(5) == 0 ? BadRequests.Heads[random.Next(BadRequests.Heads.Count)].Request : Good[random.Next(Good.Length)];
        if (random.Next(4) == 0) text = Good[random.Next(2)] + text;
        if (random.Next(8) == 0)
            text = "POST http://HOST/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n" + BadRequests.Chunks[random.Next(BadRequests.Chunks.Count)].Body;
        return Spoil(random, text.Replace("HOST", host, StringComparison.Ordinal));
    }

    /// <summary>What an origin might answer.</summary>
    public static byte[] Response(Random random) => Spoil(random, Responses[random.Next(Responses.Length)]);

    private static byte[] Spoil(Random random, string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        if (random.Next(3) == 0)
        {
            for (int i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }
        return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }
}
