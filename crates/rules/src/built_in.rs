pub const OWNER: &str = "Authress:Owner";
