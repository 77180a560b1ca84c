import ArgumentParser
import Foundation
import Testing

@testable import gatepost

/// The help of each command: it begins with a verb, and names what the command takes.
@Suite struct HelpTests {
    /// A command and the words that lead to it.
    struct Command: CustomTestStringConvertible, Sendable {
        var path: [String]
        var type: any ParsableCommand.Type
        var testDescription: String { self.path.joined(separator: " ") }
    }

    static let commands: [Command] = collect(GatepostCommand.self, path: ["gatepost"])

    private static func collect(_ type: any ParsableCommand.Type, path: [String]) -> [Command] {
        [Command(path: path, type: type)]
            + type.configuration.subcommands.flatMap { sub in
                self.collect(sub, path: path + [sub._commandName])
            }
    }

    private static let verbs: Set<String> = [
        "Add", "Allow", "Bar", "Change", "Check", "Confirm", "Control", "Decide", "Discard", "End",
        "Explain", "Grant", "Import", "List", "Load", "Log", "Make", "Manage", "Print", "Put",
        "Read", "Refuse", "Remove", "Run", "Seal", "Show", "Write",
    ]

    @Test func `there are commands`() {
        #expect(Self.commands.count > 50)
        #expect(Set(Self.commands.map(\.testDescription)).count == Self.commands.count)
    }

    @Test(arguments: commands)
    func `an abstract is one sentence that begins with a verb`(command: Command) {
        let abstract = command.type.configuration.abstract
        let first = abstract.split { " ,".contains($0) }.first.map(String.init) ?? ""
        #expect(Self.verbs.contains(first), "\(command.testDescription): \(abstract)")
        #expect(abstract.hasSuffix(".") && !abstract.contains("\n"))
        #expect(abstract.count < 100)
    }

    @Test(arguments: commands)
    func `the help has the abstract, the usage and the ways to ask for it`(command: Command) {
        let help = GatepostCommand.helpMessage(for: command.type, columns: 400)
        #expect(help.contains("OVERVIEW: \(command.type.configuration.abstract)"))
        #expect(help.contains("USAGE: \(command.testDescription)"))
        #expect(help.contains("-h, --help"))
        for sub in command.type.configuration.subcommands {
            #expect(help.contains("  \(sub._commandName)"), "\(sub._commandName)")
            #expect(help.contains(sub.configuration.abstract), "\(sub._commandName)")
        }
    }

    /// Words of the usage, each of which stands in the list of options.
    @Test(arguments: commands)
    func `each option of the usage stands in the list`(command: Command) throws {
        let help = GatepostCommand.helpMessage(for: command.type, columns: 400)
        let usage = try #require(help.split(separator: "\n").first { $0.hasPrefix("USAGE:") })
        let list = help.components(separatedBy: "\n").filter { $0.hasPrefix("  ") }
        let named = usage.split { " []".contains($0) }.filter { $0.hasPrefix("--") }
        for option in named {
            #expect(
                list.contains { $0.split { " ,/".contains($0) }.contains(option) },
                "\(command.testDescription): \(option)"
            )
        }
    }

    @Test(arguments: commands)
    func `a command with the option for help says its help and does nothing`(command: Command) {
        let words = Array(command.path.dropFirst()) + ["--help"]
        do {
            let parsed = try GatepostCommand.parseAsRoot(words)
            // The parser has a command of its own that prints the help.
            #expect("\(Swift.type(of: parsed))".contains("Help"), "\(parsed)")
        } catch {
            #expect(GatepostCommand.exitCode(for: error) == .success)
            #expect(GatepostCommand.fullMessage(for: error).contains("OVERVIEW"))
        }
    }

    @Test(arguments: [CompletionShell.bash, .zsh, .fish])
    func `a script for a shell completes each command`(shell: CompletionShell) {
        let script = GatepostCommand.completionScript(for: shell)
        for command in Self.commands.dropFirst() {
            #expect(script.contains(command.path[command.path.count - 1]), "\(command.path)")
        }
        for option in ["password-stdin", "json", "config", "subtree", "on-behalf"] {
            #expect(script.contains(option), "\(option)")
        }
    }
}
