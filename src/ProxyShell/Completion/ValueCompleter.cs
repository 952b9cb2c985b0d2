using System.Buffers;
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace ProxyShell.Completion;

/// <summary>A completer that offers the values that begin with, or hold, what was typed.</summary>
public abstract class ValueCompleter : IArgumentCompleter
{
    private static readonly SearchValues<char> Special = SearchValues.Create(" *'\"$`(){};&|<>@#,");

    /// <inheritdoc />
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string typed = (wordToComplete ?? "").Trim('\'', '"');
        return Candidates(commandName)
            .Where(candidate => candidate.Value.Contains(typed, StringComparison.OrdinalIgnoreCase))
            .OrderBy(candidate => candidate.Value.StartsWith(typed, StringComparison.OrdinalIgnoreCase) ? 0 : 1)
            .Select(candidate => new CompletionResult(Quote(candidate.Value), candidate.Value, CompletionResultType.ParameterValue, candidate.Tip));
    }

    /// <summary>The values and what to say about each; must not take long or write anything.</summary>
    private protected abstract IEnumerable<(string Value, string Tip)> Candidates();

    /// <summary>The values for one cmdlet, where cmdlets differ.</summary>
    private protected virtual IEnumerable<(string Value, string Tip)> Candidates(string commandName) => Candidates();

    private static string Quote(string value) =>
        value.AsSpan().IndexOfAny(Special) < 0 ? value : $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'";
}
