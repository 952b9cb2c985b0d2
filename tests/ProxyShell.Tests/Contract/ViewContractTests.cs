using System.Xml.Linq;
using ProxyShell.Jobs;
using Xunit;

namespace ProxyShell.Tests.Contract;

public sealed class ViewContractTests
{
    private static readonly XElement[] Views =
        [.. XDocument.Parse(ModuleUnderTest.ReadFile("src", "ProxyShell", "ProxyShell.format.ps1xml")).Descendants("View")];

    private static readonly XElement[] ExtendedTypes =
        [.. XDocument.Parse(ModuleUnderTest.ReadFile("src", "ProxyShell", "ProxyShell.types.ps1xml")).Root!.Elements("Type")];

    // Object is what a block of the user's writes
    private static IEnumerable<Type> OutputTypes => ModuleUnderTest.Cmdlets.SelectMany(cmdlet => cmdlet.OutputTypes).Where(type => type != typeof(void) && type != typeof(object)).Distinct();

    [Fact]
    public void Every_output_type_but_jobs_has_a_table() =>
        Assert.All(OutputTypes.Where(type => !type.IsAssignableTo(typeof(ProxyJob))), type => Assert.Contains(Views, view => IsTableOf(view, type)));

    // Get-Job shows jobs of all kinds in one table, which a view of ours would break into pieces
    [Fact]
    public void Jobs_keep_the_table_of_PowerShell_and_have_a_list_of_their_own()
    {
        Type[] jobs = [.. OutputTypes.Where(type => type.IsAssignableTo(typeof(ProxyJob)))];
        Assert.All(jobs, type => Assert.DoesNotContain(Views, view => IsTableOf(view, type)));
        Assert.All(jobs, type => Assert.Contains(ExtendedTypes, extended => extended.Element("Name")!.Value == type.FullName));
    }

    [Fact]
    public void Views_show_properties_that_exist() =>
        Assert.All(
            Views.SelectMany(view => view.Descendants("PropertyName").Select(property => (Type: TypeNamed(view.Descendants("TypeName").Single().Value), Property: property.Value))),
            shown => Assert.True(shown.Type.GetProperty(shown.Property) is not null, $"{shown.Type.Name} has no {shown.Property}"));

    [Fact]
    public void Lists_of_jobs_show_properties_that_exist() =>
        Assert.All(
            ExtendedTypes.SelectMany(extended => extended.Descendants("ReferencedProperties").Elements("Name").Select(name => (Type: TypeNamed(extended.Element("Name")!.Value), Property: name.Value))),
            shown => Assert.True(shown.Property == "State" || shown.Type.GetProperty(shown.Property) is not null, $"{shown.Type.Name} has no {shown.Property}"));

    [Fact]
    public void No_view_reveals_a_key() =>
        Assert.All(Views, view => Assert.DoesNotContain("Reveal", view.ToString(), StringComparison.OrdinalIgnoreCase));

    private static bool IsTableOf(XElement view, Type type) =>
        view.Descendants("TypeName").Any(name => name.Value == type.FullName) && view.Element("TableControl") is not null;

    private static Type TypeNamed(string name) =>
        ModuleUnderTest.Assembly.GetType(name) ?? ModuleUnderTest.Engine.GetType(name) ?? throw new InvalidOperationException($"There is no type {name}.");
}
