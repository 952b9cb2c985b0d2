using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tests.Diagnostics;

public class ErrorTextTests
{
    public static TheoryData<ProxyErrorReason> Reasons => new(Enum.GetValues<ProxyErrorReason>());

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Every_reason_has_words_of_its_own(ProxyErrorReason reason)
    {
        string text = ProxyErrorText.Describe(reason);
        Assert.Matches("^[a-zA-Z][a-zA-Z ,]*[a-z]$", text);
        Assert.Single(Enum.GetValues<ProxyErrorReason>(), other => ProxyErrorText.Describe(other) == text);
        // "failed" says nothing: only what has no better word may use it
        if (reason != ProxyErrorReason.Other) Assert.NotEqual("failed", text);
    }

    [Fact]
    public void An_unknown_reason_is_a_failure() => Assert.Equal("failed", ProxyErrorText.Describe((ProxyErrorReason)99));

    [Theory]
    [InlineData(null, null, "connection refused")]
    [InlineData("hop 2 (a:1)", null, "hop 2 (a:1): connection refused")]
    [InlineData("hop 2 (a:1)", "nobody there", "hop 2 (a:1): nobody there")]
    [InlineData(null, "nobody there", "nobody there")]
    public void A_message_is_subject_and_detail(string? subject, string? detail, string expected)
    {
        var error = new ProxyException(ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, subject, detail);
        Assert.Equal(expected, error.Message);
        Assert.Equal((subject, detail ?? "connection refused"), (error.Subject, error.Detail));
    }

    // docs/protocols/relay.md: these travel, so they never change
    [Fact]
    public void Numbers_on_the_wire_stay()
    {
        Assert.Equal(
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 127],
            Enum.GetValues<ProxyErrorReason>().Select(r => (int)r).Where(r => r < 128));
        Assert.Equal((1, 8, 17), ((int)ProxyErrorReason.ConnectionRefused, (int)ProxyErrorReason.Replayed, (int)ProxyErrorReason.ConnectionClosed));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], Enum.GetValues<ProxyStage>().Select(s => (int)s));
    }
}
