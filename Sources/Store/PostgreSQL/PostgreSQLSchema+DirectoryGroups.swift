/// The tables of groups whose members come from the directory.
extension PostgreSQLSchema {
    static let directoryGroups = """
        CREATE TABLE directoryGroup (
            "group" bigint PRIMARY KEY REFERENCES "group" ON DELETE CASCADE,
            filter \(text) NOT NULL,
            tried bigint,
            read bigint,
            failure \(text)
        );
        CREATE TABLE directoryUnknown (
            "group" bigint NOT NULL REFERENCES directoryGroup ON DELETE CASCADE,
            name \(text) NOT NULL,
            PRIMARY KEY ("group", name)
        );
        """
}
