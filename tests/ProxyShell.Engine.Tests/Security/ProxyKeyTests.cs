using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public class ProxyKeyTests
{
    [Fact]
    public void The_text_form_comes_back()
    {
        for (int i = 0; i < 100; i++)
        {
            var key = ProxyKey.Create();
            string text = key.Reveal();
            Assert.Matches("^[A-Za-z0-9_-]{43}$", text);
            Assert.Equal(key, ProxyKey.Parse(text));
            Assert.Equal(key, ProxyKey.Parse($" {text}\n"));
            Assert.Equal(key, ProxyKey.Parse(text + "="));
            Assert.Equal((key.Id, key.GetHashCode()), (ProxyKey.Parse(text).Id, ProxyKey.Parse(text).GetHashCode()));
        }
    }

    [Fact]
    public void The_bytes_come_back()
    {
        byte[] bytes = RandomBytes.Of(ProxyKey.Length);
        var key = ProxyKey.FromBytes(bytes);
        bytes[0]++;
        Assert.NotEqual(key, ProxyKey.FromBytes(bytes));
        Assert.Equal(key, ProxyKey.FromBytes(RandomBytes.Of(ProxyKey.Length)));
    }

    [Fact]
    public void Keys_differ() => Assert.Equal(100, Enumerable.Range(0, 100).Select(_ => ProxyKey.Create().Id).Distinct().Count());

    [Fact]
    public void The_secret_is_not_shown()
    {
        var key = ProxyKey.FromBytes(RandomBytes.Of(ProxyKey.Length, seed: 5));
        foreach (string shown in new[] { key.ToString(), key.Id, $"{key}", string.Create(null, $"{new { key }}") })
        {
            Assert.DoesNotContain(key.Reveal(), shown, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToHexString(key.Secret), shown, StringComparison.OrdinalIgnoreCase);
        }
        Assert.Equal($"key {key.Id}", key.ToString());
        Assert.Matches("^[0-9a-f]{16}$", key.Id);
        // no public property gives it away to a formatter or a serializer
        Assert.Equal(["Id"], typeof(ProxyKey).GetProperties().Select(p => p.Name));
    }

    public static TheoryData<string> WrongTexts => new(
        "", "short", "secret-secret-secret-secret-secret-secret!!", new string('a', 42), new string('a', 44), new string('a', 45),
        "AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAA", new string('+', 43), new string('é', 43), new string('a', 5000), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");

    [Theory]
    [MemberData(nameof(WrongTexts))]
    public void A_wrong_text_is_refused_without_repeating_it(string text)
    {
        Assert.False(ProxyKey.TryParse(text, out ProxyKey? key));
        Assert.Null(key);
        FormatException error = Assert.Throws<FormatException>(() => ProxyKey.Parse(text));
        Assert.Equal("The key is not valid: it has 43 characters of base64url, as New-ProxyKey makes them.", error.Message);
        Assert.Null(error.InnerException);
    }

    [Fact]
    public void No_text_makes_reading_fail_otherwise()
    {
        var random = new Random(11);
        const string characters = "ABCabc012-_=+/ %é\n";
        for (int round = 0; round < 20_000; round++)
        {
            string text = new([.. Enumerable.Range(0, random.Next(42, 46)).Select(_ => characters[random.Next(random.Next(2) == 0 ? 11 : characters.Length)])]);
            if (ProxyKey.TryParse(text, out ProxyKey? key)) Assert.Equal(key, ProxyKey.Parse(key.Reveal()));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_wrong_number_of_bytes_is_named(int length) =>
        Assert.Equal($"A key has 32 bytes, not {length}.", Assert.Throws<FormatException>(() => ProxyKey.FromBytes(new byte[length])).Message);

    [Fact]
    public void Nothing_is_not_a_key()
    {
        Assert.False(ProxyKey.TryParse(null, out _));
        Assert.False(ProxyKey.Create().Equals(null));
        Assert.False(ProxyKey.Create().Equals(new object()));
    }
}
