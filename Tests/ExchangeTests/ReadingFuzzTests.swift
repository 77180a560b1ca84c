import Access
import Exchange
import Foundation
import Support
import Testing

/// Damaged exports: each is refused with a reason, or grants no rights to users that it does not
/// name. A file that is accepted is also valid for another reader.
@Suite struct ReadingFuzzTests {
    private static let rounds =
        ProcessInfo.processInfo.environment["FUZZ_ROUNDS"].flatMap(Int.init) ?? 12_000
    private static let spice = Array("{}[]\",:\\\r\n;'\t #@0NnAaFS\u{0}\u{E9}".utf8)

    private static let samples: [ReadingTests.Sample] =
        ReadingTests.samples + ReadingTests.online + ReadingTests.csv + ReadingTests.folders

    private static func damaged(_ text: String, using generator: inout Seeded) -> [UInt8] {
        var octets = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !octets.isEmpty {
            let place = Int.random(in: 0..<octets.count, using: &generator)
            let octet = self.spice.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: octets[place] = octet
            case 1: octets.insert(octet, at: place)
            case 2: octets.remove(at: place)
            case 3: octets[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 4: octets.removeLast(min(octets.count, place))
            default:
                let end = min(octets.count, place + Int.random(in: 1...60, using: &generator))
                octets.insert(contentsOf: octets[place..<end], at: place)
            }
        }
        return octets
    }

    @Test(arguments: 0..<2)
    func `a damaged export grants no rights to users that it does not name`(part: Int) throws {
        var read: [[UInt8]] = []
        var accepted = 0
        for round in stride(from: part, to: Self.rounds, by: 2) {
            var generator = Seeded(state: UInt64(round) + 1)
            guard let sample = Self.samples.randomElement(using: &generator) else { return }
            var files = sample.files.map { Array($0.utf8) }
            let place = Int.random(in: 0..<files.count, using: &generator)
            files[place] = Self.damaged(sample.files[place], using: &generator)
            do {
                let imported = try Self.imported(files, sample)
                accepted += 1
                let text =
                    files.map { String(decoding: $0, as: UTF8.self).lowercased() }.joined()
                    + sample.recipients.map { "\($0)".lowercased() }.joined()
                for login in imported.entries.compactMap(\.login) {
                    let name = login.prefix { $0 != "@" }
                    #expect(text.contains(name), "round \(round) of \(sample.name): \(login)")
                }
                if files[place].first == UInt8(ascii: "{")
                    || files[place].first == UInt8(ascii: "[")
                {
                    read.append(files[place])
                }
            } catch is ReadingError {
                continue
            } catch {
                Issue.record("round \(round) of \(sample.name): \(error)")
            }
        }
        #expect(accepted > Self.rounds / 80)
        for text in try Self.unreadableByPython(read) { Issue.record("\(text)") }
    }

    private static func imported(
        _ files: [[UInt8]],
        _ sample: ReadingTests.Sample
    ) throws -> ImportedPermissions {
        var document = try PermissionsReader.read(
            files.enumerated().map { ("file\($0.offset + 1)", Data($0.element)) }
        )
        document.recipients += sample.recipients
        document.hasWholeDirectory = document.hasWholeDirectory || !sample.recipients.isEmpty
        let mailbox = try document.mailbox(of: ["sales@contoso.example"], identity: "sales")
        return Resolution.resolve(mailbox, in: document, people: ReadingTests.people)
    }

    /// Files that Python does not accept as JSON. Foundation accepts a comma before a closing
    /// bracket.
    private static func unreadableByPython(_ texts: [[UInt8]]) throws -> [String] {
        let script = """
            import base64, json, re, sys
            for line in sys.stdin:
                octets = base64.b64decode(line)
                try:
                    text = re.sub(r",\\s*([]}])", r"\\1", octets.decode("utf-8", "replace"))
                    json.loads(text, strict=False)
                except ValueError as error:
                    print(error, repr(octets))
            """
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("exports-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let lines = texts.map { Data($0).base64EncodedString() }.joined(separator: "\n")
        try Data((lines + "\n").utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let octets = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
