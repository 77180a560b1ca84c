/// One row of a cmdlet's output, from JSON or CSV, in any form that PowerShell writes: enumerations
/// as text, number or in braces, collections joined by commas, switches as objects.
///
/// A cell that PowerShell replaced by a type name or truncated refuses the whole file.
struct CmdletRow {
    /// The path of a row, which determines what may have been lost.
    enum Origin: Equatable {
        /// - Parameter isASCII: whether Windows PowerShell may have replaced letters by `?`.
        case csv(isASCII: Bool)
        case json
        /// Directly from Exchange: nothing was lost.
        case online
    }

    /// The file and row, for messages.
    let place: String
    /// The row: an object with the columns.
    let value: JSONValue
    var origin = Origin.json

    /// Whether the row has a column; names ignore case.
    func has(_ column: String) -> Bool { self.value[column] != nil }

    /// An error about a column of this row.
    func fail(_ column: String, text: String) -> ReadingError {
        ReadingError("\(self.place), column \(column): \(text)")
    }

    // MARK: - Cells

    /// The text of a cell, trimmed; nil for an empty or missing cell.
    func text(_ column: String) throws(ReadingError) -> String? {
        try self.exactText(column).flatMap { text throws(ReadingError) in
            try self.checked(text, column: column)
        }
    }

    /// The name in a cell, which may end in `...`: names are only compared, and a truncated one
    /// matches nothing.
    func name(_ column: String) throws(ReadingError) -> String? {
        try self.exactText(column).flatMap { text throws(ReadingError) in
            try self.checkedName(text, column: column)
        }
    }

    /// The text of a cell with its surrounding spaces: a folder's name may have some.
    func exactText(_ column: String) throws(ReadingError) -> String? {
        switch self.value[column] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        case let other?:
            // A GUID may be an object.
            for key in ["Guid", "value", "Value"] {
                if let text = other[key]?.string { return text }
            }
            throw self.fail(column, text: "is not text: export it again with gatepost's script")
        }
    }

    /// The principal with a name from this row.
    func principal(_ name: String) -> PermissionsDocument.Principal {
        PermissionsDocument.Principal(name: name, isCut: self.mayBeCut(name) ? true : nil)
    }

    /// Whether a text ends in `...`, as PowerShell truncates it in a table. A real name may end so
    /// too.
    func mayBeCut(_ text: String) -> Bool {
        self.origin != .online && (text.hasSuffix("...") || text.hasSuffix("…"))
    }

    /// The text, trimmed; nil if it is empty.
    /// - Throws: ``ReadingError`` for a type name, lost letters or a truncated text.
    func checked(_ text: String, column: String) throws(ReadingError) -> String? {
        let name = try self.checkedName(text, column: column)
        guard let name, self.mayBeCut(name) else { return name }
        throw self.fail(
            column,
            text:
                "ends in \(name.suffix(20)) and may be cut: set $FormatEnumerationLimit = -1 and use "
                + "ConvertTo-Json or Export-Csv, no Format-Table before it; if the name ends so, use "
                + "gatepost's script"
        )
    }

    /// The name, trimmed; nil if it is empty.
    /// - Throws: ``ReadingError`` for a type name or lost letters.
    func checkedName(_ text: String, column: String) throws(ReadingError) -> String? {
        let text = text.trimmed
        guard !text.isEmpty else { return nil }
        guard self.origin != .online else { return text }
        for prefix in ["System.", "Microsoft.Exchange.", "Deserialized.", "@{"]
        where text.hasPrefix(prefix) {
            throw self.fail(
                column,
                text:
                    "says \(text.prefix(60)) instead of the value, which PowerShell lost: join it (-join "
                    + "','), use ConvertTo-Json -Depth 5, or gatepost's script"
            )
        }
        try self.checkLetters(text, column: column)
        return text
    }

    /// Refuses text with lost letters: Windows PowerShell writes CSV in ASCII, with `?` for other
    /// letters.
    /// - Throws: ``ReadingError``.
    func checkLetters(_ text: String, column: String) throws(ReadingError) {
        if self.origin == .csv(isASCII: true) && text.contains("?") || text.contains("\u{FFFD}") {
            throw self.fail(
                column,
                text:
                    "has letters that were lost (\(text)): export it again with -Encoding UTF8, in "
                    + "PowerShell 7 -Encoding utf8BOM, or with gatepost's script"
            )
        }
    }

    /// The elements of an enumeration or collection.
    /// - Parameter numbers: the names of enumeration values that PowerShell writes as numbers.
    func words(_ column: String, numbers: [Int: String] = [:]) throws(ReadingError) -> [String] {
        switch self.value[column] {
        case nil, .null?: return []
        case .array(let elements)?:
            var words: [String] = []
            for element in elements {
                words += try self.words(of: element, column: column, numbers: numbers)
            }
            return words
        case let value?:
            return try self.words(of: value, column: column, numbers: numbers)
        }
    }

    /// The names of a collection. In a list, each element is one name. In a single text, `;`
    /// separates names; commas separate only addresses and GUIDs, because a name may contain one.
    func names(_ column: String) throws(ReadingError) -> [String] {
        guard case .array(let elements)? = self.value[column] else {
            let text = try self.text(column)
            let isParted = text?.contains(";") ?? false
            let names = try isParted ? [] : self.words(column)
            guard let text else { return names }
            guard isParted || text.contains(",") else { return names }
            if !isParted, names.allSatisfy({ Directory.address($0) != nil }) { return names }
            guard isParted else {
                throw self.fail(
                    column,
                    text: "has names with commas between them: join them with ';'"
                )
            }
            return text.split(separator: ";").map { String($0).trimmed }.filter { !$0.isEmpty }
        }
        var names: [String] = []
        for element in elements {
            guard case .string(let text) = element else {
                names += try self.words(of: element, column: column, numbers: [:])
                continue
            }
            names += [try self.checkedName(text, column: column)].compactMap { $0 }
        }
        return names
    }

    private func words(
        of value: JSONValue,
        column: String,
        numbers: [Int: String]
    ) throws(ReadingError) -> [String] {
        switch value {
        case .string(var text):
            guard let checked = try self.checked(text, column: column) else { return [] }
            text = checked
            if text.hasPrefix("{"), text.hasSuffix("}") {
                text = String(text.dropFirst().dropLast())
            }
            return text.split(whereSeparator: { $0 == "," || $0 == ";" }).map {
                String($0).trimmed
            }.filter { !$0.isEmpty }
        case .number(let number):
            guard let word = Int(exactly: number).flatMap({ numbers[$0] }) else {
                throw self.fail(column, text: "is a number: export it again with gatepost's script")
            }
            return [word]
        case .object:
            guard let text = (value["value"] ?? value["Value"])?.string else {
                throw self.fail(column, text: "is an object: use ConvertTo-Json -Depth 5")
            }
            return try self.words(of: .string(text), column: column, numbers: numbers)
        case .null, .bool, .array:
            throw self.fail(column, text: "cannot be read")
        }
    }

    /// A boolean or a switch; nil if the column is missing.
    func flag(_ column: String) throws(ReadingError) -> Bool? {
        switch self.value[column] {
        case nil: return nil
        case .bool(let flag)?: return flag
        case .string(let text)?:
            switch text.trimmed.lowercased() {
            case "true": return true
            case "false": return false
            default: throw self.fail(column, text: "is neither True nor False: \(text.prefix(40))")
            }
        case .object(let members)?:
            guard case .bool(let flag)? = members["IsPresent"] else {
                throw self.fail(column, text: "is neither True nor False")
            }
            return flag
        case .null?, .number?, .array?:
            throw self.fail(column, text: "is neither True nor False")
        }
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
