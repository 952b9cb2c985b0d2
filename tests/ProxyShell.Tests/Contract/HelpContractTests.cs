using System.Xml.Linq;
using Xunit;

namespace ProxyShell.Tests.Contract;

public sealed class HelpContractTests
{
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private static readonly Dictionary<string, XElement> Pages =
        XDocument.Parse(ModuleUnderTest.ReadFile("en-US", "ProxyShell.dll-Help.xml")).Root!.Elements(Command + "command")
            .ToDictionary(page => page.Element(Command + "details")!.Element(Command + "name")!.Value);

    public static TheoryData<string> CmdletNames => [.. ModuleUnderTest.Cmdlets.Select(cmdlet => cmdlet.Name)];

    [Fact]
    public void Help_has_a_page_for_each_cmdlet_and_no_other() =>
        Assert.Equal(ModuleUnderTest.Cmdlets.Select(cmdlet => cmdlet.Name), Pages.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(CmdletNames))]
    public void A_page_has_synopsis_description_inputs_outputs_and_links(string cmdlet)
    {
        XElement page = Pages[cmdlet];
        Assert.NotEmpty(page.Element(Command + "details")!.Element(Maml + "description")!.Value.Trim());
        Assert.NotEmpty(page.Element(Maml + "description")!.Value.Trim());
        Assert.NotEmpty(page.Descendants(Command + "inputType"));
        Assert.NotEmpty(page.Descendants(Command + "returnValue"));
        Assert.NotEmpty(page.Descendants(Maml + "navigationLink"));
    }

    [Theory]
    [MemberData(nameof(CmdletNames))]
    public void A_page_has_two_examples_or_more_that_use_the_cmdlet(string cmdlet)
    {
        XElement[] examples = [.. Pages[cmdlet].Descendants(Command + "example")];
        Assert.True(examples.Length >= 2, $"{cmdlet} has {examples.Length} examples.");
        Assert.All(examples, example => Assert.NotEmpty(example.Element(Dev + "remarks")!.Value.Trim()));
        Assert.Contains(examples, example => example.Element(Dev + "code")!.Value.Contains(cmdlet, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(CmdletNames))]
    public void A_page_describes_each_parameter_and_no_other(string name)
    {
        CmdletMetadata cmdlet = ModuleUnderTest.Cmdlets.Single(candidate => candidate.Name == name);
        XElement[] described = [.. Pages[name].Element(Command + "parameters")!.Elements(Command + "parameter")];
        Assert.Equal(
            ModuleUnderTest.ParametersOf(cmdlet).Order(StringComparer.Ordinal),
            described.Select(parameter => parameter.Element(Maml + "name")!.Value).Order(StringComparer.Ordinal));
        Assert.All(described, parameter => Assert.True(
            parameter.Element(Maml + "description")!.Value.Trim().Length > 10, $"{name} -{parameter.Element(Maml + "name")!.Value} has no description."));
    }

    [Fact]
    public void Links_lead_to_cmdlets_and_topics_that_exist() =>
        Assert.All(Pages.Values.SelectMany(page => page.Descendants(Maml + "linkText")), link => Assert.True(
            Pages.ContainsKey(link.Value) || File.Exists(Path.Combine(ModuleUnderTest.Root, "en-US", link.Value + ".help.txt")), link.Value));

    [Fact]
    public void The_topic_names_every_error_reason_a_user_can_meet()
    {
        string topic = ModuleUnderTest.ReadFile("en-US", "about_ProxyShell.help.txt");
        string[] unexplained = ["None", "Other", "Unsupported", "ConnectionReset"];
        Assert.All(Enum.GetNames<Engine.Diagnostics.ProxyErrorReason>().Except(unexplained), reason => Assert.Contains(reason, topic, StringComparison.Ordinal));
    }

    [Fact]
    public void The_topic_fits_a_terminal() =>
        Assert.All(ModuleUnderTest.ReadFile("en-US", "about_ProxyShell.help.txt").Split('\n'), line => Assert.True(line.Length <= 80, line));
}
