using System.Security.Cryptography;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Tunnels;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Whatever an agent or a gateway says, the other one ends the session in words, and goes on serving.</summary>
public class TunnelFuzzing
{
    private static readonly string[] Words =
    [
        """{"type":"hello","version":1}""", """{"type":"hello","version":0}""", """{"type":"hello"}""", """{"type":"register","jws":"a.b.c"}""", """{"type":"register"}""",
        """{"type":"registered","name":"x","url":"y"}""", """{"type":"registered"}""", """{"type":"challenge","version":1,"nonce":"x","gateway":"y"}""", """{"type":"challenge"}""",
        """{"type":"ping","id":1}""", """{"type":"ping"}""", """{"type":"pong","id":-1}""", """{"type":"drain"}""", """{"type":"bye"}""", """{"type":"unheard of","x":[[1]]}""",
        """{"type":"error","reason":"nonsense","message":"\u001b[2J\r\n","fatal":true}""", """{"type":"error","reason":"99","fatal":false}""", """{"type":null}""", "null", "[]", "1", "",
        """{"type":"hello","type":"bye"}""", """{"type":"hello","version":"1"}""", "{\"type\":\"ping\",\"id\":1e400}", new string('[', 5000), "{\"type\":\"\ud800\"}",
    ];

    [Fact]
    public void Any_bytes_are_a_message_or_a_fault()
    {
        for (int seed = 1; seed <= 20_000; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = Mutated(random, Encoding.UTF8.GetBytes(Words[random.Next(Words.Length)] + "\n"));
            HeaderStatus status = ControlMessageCodec.Read(bytes, out int length, out ControlMessage? message, out string fault);
            if (status == HeaderStatus.Complete)
            {
                Assert.True(length > 0 && message is { Type: not null }, $"seed {seed}");
                // what was read can be written, and is the same then
                byte[] written = ControlMessageCodec.Write(message);
                Assert.Equal(HeaderStatus.Complete, ControlMessageCodec.Read(written, out _, out ControlMessage? again, out _));
                Assert.Equal(message, again);
            }
            else if (status == HeaderStatus.Invalid) Assert.NotEmpty(fault);
        }
    }

    [Fact]
    public void A_message_has_at_most_16_KiB()
    {
        byte[] longest = Encoding.ASCII.GetBytes("{\"type\":\"x\",\"y\":\"" + new string('z', ControlMessageCodec.MaxLength - 20) + "\"}\n");
        Assert.Equal(ControlMessageCodec.MaxLength, longest.Length);
        Assert.Equal(HeaderStatus.Complete, ControlMessageCodec.Read(longest, out _, out _, out _));
        Assert.Equal(HeaderStatus.Incomplete, ControlMessageCodec.Read(longest.AsSpan(..^1), out _, out _, out _));
        Assert.Equal(HeaderStatus.Invalid, ControlMessageCodec.Read([(byte)' ', .. longest], out _, out _, out _));
        Assert.Equal(HeaderStatus.Invalid, ControlMessageCodec.Read(new byte[ControlMessageCodec.MaxLength], out _, out _, out _));
    }

    [Fact]
    public void A_changed_signature_does_not_hold()
    {
        using var identity = TunnelIdentity.Create();
        string jws = RegistrationProof.Sign(identity, new RegistrationClaims { Challenge = "c", Nonce = "n", Time = 1, Gateway = "g", Tunnel = new TunnelRequest { Kind = "tcp" } });
        Assert.NotNull(RegistrationProof.Verify(jws, out _, out _));
        for (int seed = 1; seed <= 3_000; seed++)
        {
            var random = new Random(seed);
            char[] changed = jws.ToCharArray();
            for (int changes = random.Next(1, 4); changes > 0; changes--) changed[random.Next(changed.Length)] = (char)random.Next(32, random.Next(20) == 0 ? 0x3000 : 127);
            string text = new string(changed)[..(random.Next(5) == 0 ? random.Next(jws.Length) : jws.Length)];
            RegistrationClaims? claims = RegistrationProof.Verify(text, out ECPoint point, out string fault);
            // base64url has bits that mean nothing at the end of a part, and white space
            Assert.True(claims is null || Same(text, jws), $"seed {seed}: {text}");
            Assert.True(claims is not null || fault.Length > 0);
        }
    }

    [Fact]
    public async Task Hostile_agents_are_told_off_and_others_are_served()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { HandshakeTimeout = TimeSpan.FromSeconds(2) });
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        for (int seed = 1; seed <= 120; seed++)
        {
            var random = new Random(seed);
            await using RawAgent raw = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
            if (random.Next(3) == 0) await raw.RegisterAsync(house.Identity);
            await TalkAsync(random, raw.Session);
            if (random.Next(2) == 0) raw.Session.Abort();
        }
        using Client client = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
        await Deadline.Until(() => house.Gateway.GetTunnels().Count == 1, "only the honest agent is left");
        await client.SendAsync("hello");
        await client.ReadAsync(5);
        Assert.DoesNotContain(house.Gateway.Events.ToList(), e => e.Message.Contains("internal error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hostile_gateways_end_no_agent()
    {
        int sessions = 0;
        await using var gateway = new RawGateway(async session =>
        {
            var random = new Random(Interlocked.Increment(ref sessions));
            if (random.Next(3) == 0) await TalkAsync(random, session, """{"type":"challenge","version":1,"nonce":"x","gateway":"y"}""", """{"type":"registered","name":"x","url":"http://x/"}""");
            await TalkAsync(random, session);
            for (int offers = random.Next(5); offers > 0; offers--) session.Offer(Name(random));
        });
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = house.Agent($"tcp://127.0.0.1:{Ports.Take()}", o => o with
        {
            Gateway = GatewayAddress.Parse($"tunnel://127.0.0.1:{gateway.Port}"),
            HandshakeTimeout = TimeSpan.FromSeconds(0.3),
            FirstRetry = TimeSpan.FromMilliseconds(1),
            MaxRetry = TimeSpan.FromMilliseconds(2),
            RefusedRetry = TimeSpan.FromMilliseconds(2),
        });
        // a start may be refused; it is made again until the agent is one that goes on by itself
        while (true)
        {
            try
            {
                await agent.StartAsync().Within();
                break;
            }
            catch (ProxyException)
            {
                agent = house.Agent("tcp://127.0.0.1:9", _ => agent.Options);
            }
        }
        await Deadline.Until(() => Volatile.Read(ref sessions) > 100, "the agent has met a hundred sessions", 60);
        await agent.StopAsync(TimeSpan.Zero).Within();
        Assert.DoesNotContain(agent.Events.ToList(), e => e.Message.Contains("internal error", StringComparison.Ordinal) || e.Message.Any(char.IsControl));
    }

    [Fact]
    public async Task A_gateway_that_says_nothing_is_given_up()
    {
        await using var gateway = new RawGateway(session => session.Completion);
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = house.Agent("tcp://127.0.0.1:9", o => o with { Gateway = GatewayAddress.Parse($"tunnel://127.0.0.1:{gateway.Port}"), HandshakeTimeout = TimeSpan.FromSeconds(0.2) });
        await agent.StartAsync().Within();
        Assert.Equal($"gateway tunnel://127.0.0.1:{gateway.Port}: did not answer the registration within 0.2 s", agent.LastError!.Message);
        await agent.DisposeAsync();
    }

    [Fact]
    public async Task Visitors_that_make_no_sense_are_rejected()
    {
        await using Origin origin = Origin.Echo();
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var gateway = new RawGateway(async session =>
        {
            await TalkAsync(new Random(1), session, """{"type":"challenge","version":1,"nonce":"x","gateway":"y"}""", """{"type":"registered","name":"x","url":"http://x/"}""");
            int accepted = 0;
            for (int seed = 1; seed <= 300; seed++)
            {
                SessionChannel channel = session.Offer(Name(new Random(seed)));
                await ((Task)channel.Acceptance.Within()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (channel.Acceptance.IsCompletedSuccessfully) accepted++;
                await channel.DisposeAsync();
            }
            done.TrySetResult(accepted);
            await session.Completion;
        });
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { Gateway = GatewayAddress.Parse($"tunnel://127.0.0.1:{gateway.Port}") });
        Assert.InRange(await done.Task.Within(), 1, 299);
        Assert.Equal(TunnelAgentState.Connected, agent.State);
        await agent.DisposeAsync();
    }

    private static async Task TalkAsync(Random random, MultiplexedSession session, params string[] words)
    {
        try
        {
            SessionChannel control = session.Seeded(0);
            string[] said = words.Length > 0 ? words : [.. Enumerable.Range(0, random.Next(6)).Select(_ => Words[random.Next(Words.Length)])];
            foreach (string word in said)
            {
                byte[] line = Encoding.UTF8.GetBytes(word + "\n");
                await control.WriteAsync(words.Length > 0 || random.Next(3) > 0 ? line : Mutated(random, line), CancellationToken.None).Within();
            }
            if (words.Length == 0 && random.Next(4) == 0) await control.WriteAsync(RandomBytes.Of(20_000, random.Next()), CancellationToken.None).Within();
            if (words.Length == 0 && random.Next(4) == 0) await control.CompleteWritesAsync(CancellationToken.None).Within();
        }
        catch (Exception e) when (e is ProxyException or ArgumentOutOfRangeException)
        {
            // told off already
        }
    }

    private static string Name(Random random)
    {
        string name = random.Next(6) switch
        {
            0 => """{"client":"127.0.0.1:1","gateway":"127.0.0.1:2","scheme":"tcp"}""",
            1 => """{"scheme":"tcp","client":"nobody"}""",
            2 => """{"scheme":""}""",
            3 => """{"scheme":null,"host":1}""",
            4 => new string('{', random.Next(100)),
            _ => "",
        };
        return random.Next(3) > 0 ? name : Encoding.Latin1.GetString(Mutated(random, Encoding.Latin1.GetBytes(name)));
    }

    private static byte[] Mutated(Random random, byte[] bytes)
    {
        for (int changes = random.Next(4); changes > 0 && bytes.Length > 0; changes--)
        {
            int at = random.Next(bytes.Length);
            bytes = random.Next(4) switch
            {
                0 => [.. bytes[..at], .. bytes[(at + 1)..]],
                1 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                _ => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
            };
        }
        return bytes;
    }

    private static bool Same(string left, string right) => left.Split('.').Zip(right.Split('.')).All(pair =>
        System.Buffers.Text.Base64Url.DecodeFromChars(pair.First).AsSpan().SequenceEqual(System.Buffers.Text.Base64Url.DecodeFromChars(pair.Second)));
}
