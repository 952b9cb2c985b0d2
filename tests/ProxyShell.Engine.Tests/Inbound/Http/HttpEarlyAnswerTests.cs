using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Tests.Fixtures;

namespace ProxyShell.Engine.Tests.Inbound.Http;

/// <summary>Origins that answer before they have read the request's body.</summary>
public class HttpEarlyAnswerTests
{
    private const int Step = 8 * 1024;

    /// <summary>
    /// How much the sockets between take is not ours to say, so bodies of all lengths around that are sent: with some, the last write to the
    /// origin is under way when the answer comes. What then is left of the body must not be read as the next request.
    /// </summary>
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task What_is_left_of_a_body_is_never_taken_for_a_request(string sockets)
    {
        SemaphoreSlim answer = new(0), read = new(0);
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            while (await stream.ReadHeadAsync() is { } head)
            {
                string method = head.Split(' ')[0];
                if (method == "POST") await answer.WaitAsync().Within();
                await stream.SendAsync(WebOrigin.Ok(method));
                if (method != "POST") continue;
                await read.WaitAsync().Within();
                await stream.ReadBodyAsync(head);
            }
        });
        await using var house = new House(sockets);
        var time = new ManualTime();
        ProxyServer proxy = await house.ProxyAsync(o => o with { TimeProvider = time });

        int most = await PostAsync(16 << 20);
        for (int length = most - (6 * Step); length < most + (24 * Step); length += Step) await PostAsync(length);

        // it ends, or gets stuck: that is seen when nothing moves any more
        async Task<int> SentAsync(Task sending)
        {
            for (int before = -1; ;)
            {
                await Task.WhenAny(sending, Task.Delay(50));
                int sent = (int)proxy.GetConnections().Select(c => c.BytesSent).DefaultIfEmpty().Max();
                if (sending.IsCompleted || (sent > 0 && sent == before)) return sent;
                before = sent;
            }
        }

        async Task<int> PostAsync(int length)
        {
            using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
            Task sending = client.SendAsync($"POST http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{new string('a', length)}");
            int sent = await SentAsync(sending);
            answer.Release();
            WebResponse response = await client.ReadAsync();
            Assert.Equal("POST", response.Body);
            if (response.Fields.Contains("Connection: close"))
            {
                read.Release();
                return sent;
            }
            Task<WebResponse> next = client.AskAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\n\r\n");
            int waits = 0;
            await Deadline.Until(
                () =>
                {
                    time.Advance(TimeSpan.FromMilliseconds(100));
                    if (++waits == 20) read.Release();
                    return next.IsCompleted;
                },
                "the next request is answered");
            Assert.Equal("GET", (await next).Body);
            if (waits < 20) read.Release();
            return sent;
        }
    }
}
