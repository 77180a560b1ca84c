/// SQL in the form that PostgreSQL accepts.
enum PostgreSQLStatement {
    /// Names of tables, columns and aliases that PostgreSQL reserves. Keywords of SQL are written
    /// in capitals, so that a name in small letters is none of them.
    private static let reserved: Set<String> = ["user", "inner", "outer"]

    /// Numbers the placeholders, and quotes reserved names. Text in quotation marks stays.
    static func translated(_ sql: String) -> String {
        var text = ""
        var word = ""
        var count = 0
        var quote: Character?
        func endWord() {
            text += self.reserved.contains(word) ? "\"\(word)\"" : word
            word = ""
        }
        for character in sql {
            if let open = quote {
                text.append(character)
                if character == open { quote = nil }
            } else if character.isLetter || character.isNumber || character == "_" {
                word.append(character)
            } else {
                endWord()
                switch character {
                case "?":
                    count += 1
                    text += "$\(count)"
                case "'", "\"":
                    quote = character
                    text.append(character)
                default: text.append(character)
                }
            }
        }
        endWord()
        return text
    }
}
