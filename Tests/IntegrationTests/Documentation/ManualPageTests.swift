import Foundation
import Gateway
import Testing

@testable import gatepost

/// The manual pages that `.ci/manual` writes.
@Suite struct ManualPageTests {
    /// A command, as the program describes itself.
    private struct Command: Decodable {
        var commandName: String
        var subcommands: [Command]?
    }

    /// The program with its nouns, without the command `help`.
    private static func program(_ environment: [String: String]) throws -> Command {
        struct Dump: Decodable { var command: Command }
        let words = ["--experimental-dump-help"]
        let dumped = try Tool.run(Office.executable.path, words, environment)
        var program = try JSONDecoder().decode(Dump.self, from: Data(dumped.output.utf8)).command
        program.subcommands?.removeAll { $0.commandName == "help" }
        return program
    }

    @Test func `each noun has a page with all of its verbs, and man shows it without a warning`()
        throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("manual-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = DocumentedBlock.repository.appendingPathComponent(".ci/manual").path
        let environment = ProcessInfo.processInfo.environment
        let written = try Tool.run(script, [folder.path, Office.executable.path], environment)
        #expect(written.status == 0, "\(written.output)")
        let nouns = try Self.program(environment).subcommands ?? []
        let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let expected = nouns.map { "gatepost-\($0.commandName).1" }
        #expect(nouns.count > 15)
        #expect(Set(pages) == Set(expected + ["gatepost.1", "gatepost.yaml.5"]))
        for noun in nouns {
            let page = folder.appendingPathComponent("gatepost-\(noun.commandName).1")
            let text = try String(contentsOf: page, encoding: .utf8)
            for verb in noun.subcommands ?? [] {
                let heading = "gatepost \(noun.commandName) \(verb.commandName)"
                    .replacingOccurrences(of: "-", with: "\\-")
                #expect(text.contains(".SS \"\(heading)\""), "\(heading)")
            }
        }
        for page in pages {
            let words = "man --warnings --local-file \"$1\" 2>&1 >/dev/null"
            let path = folder.appendingPathComponent(page).path
            let shown = try Tool.run("/bin/sh", ["-c", words, "man", path], environment)
            #expect(shown.status == 0 && shown.output.isEmpty, "\(page): \(shown.output)")
        }
    }

    /// Every key in a call that reads it, with the range that a number must be in.
    private static func readKeys() throws -> [String: ClosedRange<Int>?] {
        let folder = DocumentedBlock.repository
            .appendingPathComponent("Sources/Gateway/Configuration")
        var keys: [String: ClosedRange<Int>?] = [:]
        for kind in Listener.Kind.allCases { keys["listen.\(kind.rawValue)"] = .some(nil) }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let file = folder.appendingPathComponent(name)
            // A file that reads one group names it once.
            var text = try String(contentsOf: file, encoding: .utf8)
            let group =
                text.firstMatch(of: /let group = "(?<name>[A-Za-z.]+)"/)
                .map { String($0.output.name) } ?? "exchange"
            text = text.replacing("\\(group)", with: group)
            let reading =
                /(?:number|choice|path|isOn|string|stringArray|int|bool)\(\s*(?:forKey: )?(?:ConfigKey\()?"(?<key>[A-Za-z.]+)"(?:,\s*range: (?<lower>[0-9_]+)\.\.\.(?<upper>[0-9_]+))?/
            for match in text.matches(of: reading) {
                let bounds = [match.output.lower, match.output.upper].compactMap { bound in
                    bound.flatMap { Int($0.filter { $0 != "_" }) }
                }
                keys[String(match.output.key)] = .some(
                    bounds.count == 2 ? bounds[0]...bounds[1] : nil
                )
            }
            for match in text.matches(of: /\btext\("(?<key>[A-Za-z]+)"\)/) {
                keys["\(group).\(match.output.key)"] = .some(nil)
            }
        }
        return keys
    }

    @Test
    func `the page of the configuration has every key that the gateway reads, with its range`()
        throws
    {
        let file = DocumentedBlock.catalogue.appendingPathComponent("gatepost.yaml.5")
        let page = try String(contentsOf: file, encoding: .utf8)
        var documented: [String: String] = [:]
        for match in page.matches(of: /\.TP\n\.BR (?<key>[A-Za-z.]+) " \((?<values>[^\n]*)\)"\n/) {
            documented[String(match.output.key)] = String(match.output.values)
        }
        let read = try Self.readKeys()
        #expect(read.count > 40)
        #expect(Set(documented.keys) == Set(read.keys))
        let known = ConfigurationKey.all.filter { $0.shape != .group }.map(\.path)
        #expect(Set(known) == Set(read.keys))
        for case (let key, let range?) in read {
            let bounds = "\(range.lowerBound) to \(range.upperBound)"
            #expect(documented[key]?.hasSuffix(", \(bounds)") ?? false, "\(key): \(bounds)")
        }
    }
}
