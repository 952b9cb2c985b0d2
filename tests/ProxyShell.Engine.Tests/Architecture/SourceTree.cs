using System.Text.RegularExpressions;

namespace ProxyShell.Engine.Tests.Architecture;

/// <summary>The project's own C# files.</summary>
internal static partial class SourceTree
{
    public static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(file => !Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    /// <summary>The lines of code with their numbers; comments and strings are blank.</summary>
    public static IEnumerable<(int Number, string Text)> Code(string file) =>
        CommentOrString.Replace(File.ReadAllText(file), m => new string('\n', m.Value.Count(c => c == '\n'))).Split('\n').Select((text, index) => (index + 1, text));

    [GeneratedRegex("""//[^\n]*|/\*.*?\*/|\"{3}.*?\"{3}|@"(""|[^"])*"|"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])+'""", RegexOptions.Singleline)]
    private static partial Regex CommentOrString { get; }
}
