using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>Who is found by which name.</summary>
public class DirectoryTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void A_name_is_found_as_visitors_write_it()
    {
        TunnelDirectory directory = New();
        TunnelRegistration registration = Of("blog.example.org");
        directory.Add(registration);
        Assert.All(["blog.example.org", "BLOG.Example.ORG", "blog.example.org."], name => Assert.Same(registration, directory.Find(name, TunnelKind.Http).Registration));
        Assert.All(["blog.example.com", "", ".", "x.blog.example.org"], name => Assert.Equal(TunnelLookupStatus.Unknown, directory.Find(name, TunnelKind.Http).Status));
        // a name may lead elsewhere over TLS
        Assert.Equal(TunnelLookupStatus.Unknown, directory.Find("blog.example.org", TunnelKind.Tls).Status);
    }

    [Fact]
    public void The_least_busy_agent_is_picked_and_equals_take_turns()
    {
        TunnelDirectory directory = New();
        TunnelRegistration[] agents = [Of("x"), Of("x"), Of("x")];
        foreach (TunnelRegistration agent in agents) directory.Add(agent);
        for (int round = 1; round <= 100; round++)
        {
            for (int i = 0; i < 3; i++) Assert.True(directory.Find("x", TunnelKind.Http).Registration!.Begin());
            Assert.All(agents, agent => Assert.Equal(round, agent.Active));
        }
        agents[1].End();
        Assert.Same(agents[1], directory.Find("x", TunnelKind.Http).Registration);
        agents[1].Leave();
        Assert.NotSame(agents[1], directory.Find("x", TunnelKind.Http).Registration);
    }

    [Fact]
    public void A_lost_name_is_gone_while_the_lease_lasts_and_unknown_then()
    {
        TunnelDirectory directory = New();
        TunnelRegistration one = Of("x"), two = Of("x");
        directory.Add(one);
        directory.Add(two);
        directory.Remove(one, isWithdrawn: false);
        Assert.Same(two, directory.Find("x", TunnelKind.Http).Registration);
        two.Leave();
        Assert.Equal(TunnelLookupStatus.Gone, directory.Find("x", TunnelKind.Http).Status);
        directory.Remove(two, isWithdrawn: false);
        Assert.Equal(TunnelLookupStatus.Gone, directory.Find("x", TunnelKind.Http).Status);
        // said twice, it is not gone for longer, and what was withdrawn late is not unknown sooner
        _time.Advance(TimeSpan.FromSeconds(59));
        directory.Remove(two, isWithdrawn: true);
        Assert.Equal(TunnelLookupStatus.Gone, directory.Find("x", TunnelKind.Http).Status);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TunnelLookupStatus.Unknown, directory.Find("x", TunnelKind.Http).Status);
    }

    [Fact]
    public void Names_that_nobody_has_any_more_are_forgotten()
    {
        TunnelDirectory directory = New();
        for (int i = 0; i < 10_000; i++)
        {
            TunnelRegistration registration = Of($"n{i}");
            directory.Add(registration);
            directory.Remove(registration, isWithdrawn: false);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(directory.Count, 60, 600);
    }

    [Fact]
    public void Work_is_counted_up_to_the_limit()
    {
        TunnelRegistration registration = Of("x", new TunnelSettings { MaxConnections = 2 });
        Assert.True(registration.Begin() && registration.Begin());
        Assert.False(registration.Begin());
        registration.End();
        Assert.True(registration.Begin());
        Assert.Equal((2, 3L), (registration.Active, registration.Total));
    }

    [Fact]
    public void Whoever_keeps_channels_is_told_that_the_agent_leaves()
    {
        TunnelRegistration early = Of("x"), late = Of("x");
        CancellationToken leaving = early.Leaving;
        Assert.False(leaving.IsCancellationRequested);
        early.Leave();
        late.Leave();
        Assert.True(leaving.IsCancellationRequested && early.IsLeaving && late.Leaving.IsCancellationRequested);
    }

    private TunnelDirectory New() => new(_time, TimeSpan.FromMinutes(1));

    private TunnelRegistration Of(string name, TunnelSettings? settings = null) => new(
        new TunnelGrant { Kind = TunnelKind.Http, Name = name, Url = "", Thumbprint = "", Settings = settings ?? new TunnelSettings() },
        (_, _) => ValueTask.FromException<DuplexConnection>(new NotSupportedException()),
        _time.GetUtcNow());
}
