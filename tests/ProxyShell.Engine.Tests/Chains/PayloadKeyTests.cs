using System.Text;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>A chain's payload key hides the payload from the hops between and lets nobody change or cut it unnoticed.</summary>
public class PayloadKeyTests
{
    private static readonly ProxyKey Key = ProxyKey.Create();
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("a secret that no hop between may see");

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Payload_passes_both_ways_with_half_close(string sockets)
    {
        byte[] answer = RandomBytes.Of(5_000_003);
        await using Origin origin = Origin.AnswerAfterEnd(answer);
        await using var house = new House(sockets);
        ProxyServer first = await house.ProxyAsync(), last = await house.ProxyAsync(o => o with { PayloadKeys = [Key] });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(first.ToHop(), last.ToHop()) { PayloadKey = Key });

        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(RandomBytes.Of(1_000_000, seed: 2));
        client.EndSending();

        Assert.Equal(answer, await client.ReadToEndAsync());
        await House.QuietAsync(listener);
        await House.QuietAsync(last);
        Assert.Equal((1_000_000, answer.Length), (listener.Counters.BytesSent, listener.Counters.BytesReceived));
        Assert.Equal(0, listener.Counters.Failed + last.Counters.Failed);
    }

    [Fact]
    public async Task Nobody_between_sees_the_payload()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer last = await house.ProxyAsync(o => o with { Keys = [Key] });
        await using var tap = new Tap(last.LocalPort);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, Through(tap, last));

        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(Secret);
        Assert.Equal(Secret, await client.ReadAsync(Secret.Length));

        Assert.True(tap.Seen.Length > 2 * Secret.Length);
        Assert.Equal(-1, tap.Seen.AsSpan().IndexOf(Secret.AsSpan(0, 8)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_changed_byte_is_noticed(bool towardsTarget)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer last = await house.ProxyAsync(o => o with { PayloadKeys = [Key] });
        await using var tap = new Tap(last.LocalPort);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, Through(tap, last));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);

        tap.OnBytes = (direction, _, bytes) => bytes[^1] ^= (byte)(direction == towardsTarget ? 1 : 0);
        await client.SendAsync(Secret);

        Assert.True(await client.IsClosedAsync());
        ProxyEvent failed = await House.EventAsync(towardsTarget ? last : listener, ProxyEventKind.Failed);
        Assert.EndsWith("a payload record does not open with the payload key", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_is_cut_off_is_not_taken_for_a_whole_one()
    {
        await using Origin origin = Origin.AnswerAfterEnd(RandomBytes.Of(100_000));
        await using var house = new House(Sockets.Portable);
        ProxyServer last = await house.ProxyAsync(o => o with { PayloadKeys = [Key] });
        await using var tap = new Tap(last.LocalPort) { CutAnswersAfter = 50_000 };
        AccessListener listener = await house.ListenAsync(origin.Endpoint, Through(tap, last));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        client.EndSending();

        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => client.ReadToEndAsync());
        Assert.EndsWith("the payload was cut off before its end", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_payload_key_is_told_by_the_last_hop()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer first = await house.ProxyAsync(), last = await house.ProxyAsync(o => o with { PayloadKeys = [ProxyKey.Create()] });
        var chain = new ProxyChain(first.ToHop(), last.ToHop()) { PayloadKey = Key };

        List<HopTestResult> results = await new ChainTester().TestAsync(chain, origin.Endpoint).ToListAsync();

        Assert.Equal($"hop 2 (127.0.0.1:{last.LocalPort}): wrong payload key", results[2].Error!.Message);
        Assert.Equal(ProxyErrorReason.AuthenticationFailed, results[2].Error!.Reason);
    }

    [Fact]
    public async Task A_replayed_stream_is_refused_though_the_hop_has_no_header_key()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer last = await house.ProxyAsync(o => o with { PayloadKeys = [Key] });
        await using var tap = new Tap(last.LocalPort);
        var sent = new MemoryStream();
        tap.OnBytes = (direction, _, bytes) =>
        {
            if (direction) sent.Write(bytes);
        };
        AccessListener listener = await house.ListenAsync(origin.Endpoint, Through(tap, last));
        using (Client client = await Client.ConnectAsync(listener.LocalPort))
        {
            await client.SendAsync(Secret);
            await client.ReadAsync(Secret.Length);
        }
        await House.QuietAsync(last);

        using Client replayer = await Client.ConnectAsync(last.LocalPort);
        await replayer.SendAsync(sent.ToArray());
        await replayer.ReadToEndAsync();

        Assert.Equal("client: replayed header", (await House.EventAsync(last, ProxyEventKind.Refused)).Message);
        Assert.Equal(1, origin.Accepted);
    }

    [Fact]
    public async Task A_test_of_the_chain_ends_in_order_everywhere()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer first = await house.ProxyAsync(), last = await house.ProxyAsync(o => o with { PayloadKeys = [Key] });

        await new ChainTester().TestAsync(new ProxyChain(first.ToHop(), last.ToHop()) { PayloadKey = Key }, origin.Endpoint).ToListAsync();

        await House.QuietAsync(first);
        await House.QuietAsync(last);
        Assert.Equal((0, 0), (first.Counters.Failed, last.Counters.Failed));
    }

    [Fact]
    public void Composing_chains_keeps_a_payload_key()
    {
        ProxyChain with = new(ProxyHop.Parse("relay://a:1")) { PayloadKey = Key }, without = new(ProxyHop.Parse("relay://b:2"));
        Assert.Same(Key, (with + without).PayloadKey);
        Assert.Same(Key, (without + with).PayloadKey);
        Assert.Null((without + without).PayloadKey);
    }

    private static ProxyChain Through(Tap tap, ProxyServer last) =>
        new(ProxyHop.Parse($"relay://127.0.0.1:{tap.Port}") with { Key = last.ToHop().Key }) { PayloadKey = Key };
}
