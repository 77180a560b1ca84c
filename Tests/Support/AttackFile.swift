import Foundation

/// A file of attacks: one a line, a number, the octets, and after `=>` what is expected. A line that begins with
/// `@` sets something for those that follow it.
///
///     @state own
///     T001 A1 NOOP\nA2 LOGOUT\r\n => BYE; A2 -
///
/// Octets: `\r \n \t \\ \xNN`; `[[x*1000]]` repeats.
package enum AttackFile {
    /// One attack, as its line has it.
    package struct Line: Sendable {
        /// For example `T001`.
        package var number: String
        /// What stands between the number and `=>`, with its escapes.
        package var payload: String
        /// What stands behind `=>`, without the blanks around each `;`.
        package var expected: [String]
        /// What the lines before set: for `@state own` it is `own` under `state`; for `@header` an empty text.
        package var settings: [String: String]
        /// The setting of the line before that has one; nil at the beginning of a file.
        package var lastSetting: String?
    }

    /// The attacks of all files with this ending, in the order of their names.
    /// - Parameter tests: the file of the tests that have a folder `Attacks` beside them.
    package static func lines(besides tests: String, ending: String) -> [Line] {
        let folder = URL(fileURLWithPath: tests).deletingLastPathComponent()
            .appendingPathComponent("Attacks")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".\(ending)") }.sorted().flatMap { name in
            let file = folder.appendingPathComponent(name)
            return self.lines((try? String(contentsOf: file, encoding: .utf8)) ?? "")
        }
    }

    /// The attacks of one file's text.
    package static func lines(_ text: String) -> [Line] {
        var settings: [String: String] = [:]
        var last: String?
        return text.split(separator: "\n").compactMap { line in
            if line.hasPrefix("@") {
                let words = line.dropFirst().split(separator: " ", maxSplits: 1)
                last = words.first.map(String.init)
                if let last { settings[last] = words.count > 1 ? String(words[1]) : "" }
            }
            guard line.hasPrefix("T"), let arrow = line.range(of: "=> ", options: .backwards),
                let space = line.firstIndex(of: " "), space < arrow.lowerBound
            else { return nil }
            var payload = line[line.index(after: space)..<arrow.lowerBound]
            if payload.last == " " { payload = payload.dropLast() }
            return Line(
                number: String(line[..<space]),
                payload: String(payload),
                expected: line[arrow.upperBound...].split(separator: ";")
                    .map { $0.trimmingCharacters(in: .whitespaces) },
                settings: settings,
                lastSetting: last
            )
        }
    }

    /// What a text with escapes and `[[text*count]]` stands for.
    package static func octets(_ text: some StringProtocol) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.first {
            if let repeated = self.takeRepeated(&rest) {
                octets += repeated
                continue
            }
            rest = rest.dropFirst()
            guard first == UInt8(ascii: "\\"), let escape = rest.first else {
                octets.append(first)
                continue
            }
            rest = rest.dropFirst()
            octets.append(self.unescaped(escape, &rest))
        }
        return octets
    }

    /// Takes `[[text*count]]` away.
    /// - Returns: nil where none begins here.
    private static func takeRepeated(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.starts(with: Array("[[".utf8)),
            let end = Array(rest).firstRange(of: Array("]]".utf8))
        else { return nil }
        let inner = Array(rest.dropFirst(2).prefix(end.lowerBound - 2))
        rest = rest.dropFirst(end.upperBound)
        guard let star = inner.lastIndex(of: UInt8(ascii: "*")) else { return [] }
        let unit = self.octets(String(decoding: inner[..<star], as: UTF8.self))
        let count = Int(String(decoding: inner[(star + 1)...], as: UTF8.self)) ?? 0
        return (0..<count).flatMap { _ in unit }
    }

    private static func unescaped(_ escape: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8 {
        switch escape {
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "x"):
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            rest = rest.dropFirst(2)
            return UInt8(digits, radix: 16) ?? 0
        default: return escape
        }
    }
}
