using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Commands;

/// <summary>What the cmdlets share that make chains of hops and groups of alternates.</summary>
public abstract class PlaceCommand : HopCommand
{
    [Parameter]
    public SwitchParameter Alternate { get; set; }

    [Parameter]
    public ChainSelection? Selection { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    [ValidateRange(1, HopAlternate.MaxWeight)]
    public int[]? Weight { get; set; }

    [Parameter]
    [TimeArgument(AtLeast = 1, AtMost = 86_400)]
    public TimeSpan? ProbeInterval { get; set; }

    /// <summary>Reads places, writing one error for each bad one; false when there was any, or when a parameter would be for none of them.</summary>
    private protected bool TryReadPlaces(IReadOnlyList<HopArgument> arguments, out List<HopGroup> places)
    {
        (places, bool good) = ([], TryReadSettings(out HopSettings settings));
        var reader = new PlaceReader(settings, Selection ?? (Weight is null ? ChainSelection.Ordered : ChainSelection.Random), Weight, ProbeInterval);
        foreach (HopArgument argument in Alternate ? [new HopArgument(arguments)] : Grouped(arguments))
        {
            if (TryRead(() => reader.Read(argument), "InvalidHop", argument.Target, out IReadOnlyList<HopGroup>? read)) places.AddRange(read);
            else good = false;
        }
        ProxyHop[] hops = [.. places.SelectMany(place => place.Alternates).SelectMany(alternate => alternate.Hops)];
        return good && TryUseSettings(hops) && TryRead(() => CheckedGroups(reader.GroupsMade), "InvalidChain", string.Join(" > ", places), out _);
    }

    // records that name the same group, one behind the other, are alternates
    private static List<HopArgument> Grouped(IReadOnlyList<HopArgument> arguments)
    {
        var grouped = new List<HopArgument>();
        for (int i = 0; i < arguments.Count;)
        {
            string? name = arguments[i].GroupName;
            HopArgument[] group = name is null ? [arguments[i]] : [.. arguments.Skip(i).TakeWhile(argument => argument.GroupName == name)];
            grouped.Add(name is null ? group[0] : new HopArgument(group));
            i += group.Length;
        }
        return grouped;
    }

    private int CheckedGroups(int made) => made switch
    {
        0 when Selection is not null || Weight is not null || ProbeInterval is not null =>
            throw new FormatException("-Selection, -Weight and -ProbeInterval are for alternates, and there are none: put them into an array of their own, or say -Alternate."),
        > 1 when Weight is not null => throw new FormatException("-Weight is given and there are several groups: give each hop its weight with New-ProxyHop -Weight."),
        _ => made,
    };
}
