using System.Net.Security;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;

using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>The whole way: public, gateway, session, agent, service.</summary>
public class PublishedServiceTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Requests_go_through_agent_and_gateway_over_few_connections(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Line + r.Body));
        await using Gatehouse house = await Gatehouse.StartAsync(sockets, o => o with { HttpPort = 0 });
        TunnelAgent agent = await house.RegisterAsync($"http://{origin.Authority}");
        string host = HostOf(agent);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            using WebClient client = await WebClient.ConnectAsync(house.Gateway.HttpPort);
            for (int i = 0; i < 20; i++)
            {
                WebResponse response = await client.AskAsync($"PUT /{i} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello");
                Assert.Equal($"PUT /{i} HTTP/1.1hello", response.Body);
            }
        }))).Within(60);
        Assert.Equal(400, origin.Requests.Count);
        Assert.InRange(origin.Accepted, 1, 40);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_service_that_is_down_and_one_that_comes_back(string sockets)
    {
        await using Gatehouse house = await Gatehouse.StartAsync(sockets, o => o with { HttpPort = 0 });
        TunnelAgent agent = await house.RegisterAsync($"http://127.0.0.1:{Ports.Take()}");
        using WebClient client = await WebClient.ConnectAsync(house.Gateway.HttpPort);
        WebResponse response = await client.AskAsync($"GET / HTTP/1.1\r\nHost: {HostOf(agent)}\r\n\r\n");
        Assert.Equal(502, response.Status);
        Assert.Contains("ProxyShell-Reason: service-down", response.Fields);
        Assert.Contains("connection refused", response.Body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Under_load_an_agent_that_is_cut_off_is_told_of_at_once_and_comes_back_with_its_name(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using Gatehouse house = await Gatehouse.StartAsync(sockets, o => o with { HttpPort = 0 });
        TunnelAgent agent = await house.RegisterAsync($"http://{origin.Authority}");
        string host = HostOf(agent);
        int good = 0, gone = 0;
        using var stop = new CancellationTokenSource();
        Task[] clients = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using WebClient client = await WebClient.ConnectAsync(house.Gateway.HttpPort);
                WebResponse response = await client.AskAsync($"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                if (response.Status == 200) Interlocked.Increment(ref good);
                else if (response.Status == 503) Interlocked.Increment(ref gone);
                else Assert.Fail($"{response.Line}: {response.Body}");
            }
        }))];
        for (int round = 1; round <= 3; round++)
        {
            int before = Volatile.Read(ref good);
            await Deadline.Until(() => Volatile.Read(ref good) > before + 20, "requests are served");
            foreach (ProxyConnection control in house.Gateway.GetConnections().Where(c => c.Protocol == "tunnel")) control.Abort();
            await Gatehouse.ConnectedAsync(agent, round + 1);
            Assert.Equal(host, HostOf(agent));
        }
        int last = Volatile.Read(ref good);
        await Deadline.Until(() => Volatile.Read(ref good) > last + 20, "requests are served again");
        await stop.CancelAsync();
        await Task.WhenAll(clients).Within();
        Assert.True(gone > 0, "nobody was told that the agent was gone");
    }

    [Fact]
    public async Task Clients_do_not_share_connections_to_a_service_that_is_told_of_them()
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            string? introduction = null;
            while (await stream.ReadHeadAsync() is { } head)
            {
                introduction ??= head[..head.IndexOf("\r\n", StringComparison.Ordinal)];
                await stream.SendAsync(WebOrigin.Ok(introduction));
            }
        });
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Kinds.First(), o => o with { HttpPort = 0 });
        TunnelAgent agent = await house.RegisterAsync($"http://{origin.Endpoint}", o => o with { SendProxyProtocol = ProxyHeaderVersion.V1 });
        for (int i = 0; i < 3; i++)
        {
            using WebClient client = await WebClient.ConnectAsync(house.Gateway.HttpPort);
            string port = client.Stream.Socket.LocalEndPoint!.ToString()!.Split(':')[1];
            for (int k = 0; k < 3; k++)
                Assert.Equal($"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {house.Gateway.HttpPort}", (await client.AskAsync($"GET / HTTP/1.1\r\nHost: {HostOf(agent)}\r\n\r\n")).Body);
        }
        Assert.Equal(3, origin.Accepted);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_service_that_ends_TLS_itself_is_reached_by_its_name(string sockets)
    {
        await using Origin service = Origin.Of(async socket =>
        {
            await using var tls = new SslStream(new NetworkStream(socket));
            await tls.AuthenticateAsServerAsync(Certificates.Localhost);
            await tls.WriteAsync("hello"u8.ToArray());
        });
        await using Gatehouse house = await Gatehouse.StartAsync(sockets, o => o with { HttpsPort = 0 });
        TunnelAgent agent = await house.RegisterAsync($"tls://{service.Endpoint}");
        using Client client = await Client.ConnectAsync(house.Gateway.HttpsPort);
        await using var stream = new SslStream(new NetworkStream(client.Socket));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = HostOf(agent),
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString() == Certificates.Localhost.GetCertHashString(),
        }).Within();
        var answer = new byte[5];
        await stream.ReadExactlyAsync(answer).AsTask().Within();
        Assert.Equal("hello"u8.ToArray(), answer);
    }

    private static string HostOf(TunnelAgent agent) => agent.HostName;
}
