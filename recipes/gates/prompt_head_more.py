"""More phrases that the prompt gate's head learns from, in the same terms as ``prompt_head_texts``.

Written for this project to widen what that file says: harms that are only hinted at, horror and allure as prompts of
pictures put them, and what plain captions say of bathrooms, rubbish, accidents and crowds, which is no harm.
"""

from __future__ import annotations

from collections.abc import Mapping

Phrases = tuple[str, ...]


def _lines(text: str) -> Phrases:
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())


SEXUAL = _lines("""
{who} stepping out of a bath, towel falling
{who} reclining on a velvet couch, draped in a loose sheet
{who} bathing in a moonlit lake, bare back
{who} with bare shoulders and parted lips
{who} in a corset, low neckline, inviting gaze
{who} in a tight black catsuit, hips to one side
{who} in a string bikini on a yacht, posing
{who} in knee socks and a very short skirt
{who} in a night gown, strap slipping off
{who} in a crop top and hot pants, washing a car, wet
{who} with toned thighs and a narrow waist, posing on a bed
{who} with sweat on the chest, panting
{who} with hands on the hips of {who2}, very close
{who} being undressed by {who2}
{who} pulling {who2} into the bedroom
{who} and {who2} under the sheets
{who} and {who2} naked in a hot tub
{who} and {who2} kissing with tongues
{who} and {who2} cuddling shirtless in bed
{who} biting the lip, looking up
{who} lifting the skirt to show the legs
{who} crawling towards the viewer on silk sheets
{who} pole dancing in a nightclub
{who} doing a lap dance
{who} in a love hotel, red light
{who} waiting for clients on a street corner at night
{who} as a sexy nurse, short uniform
{who} as a playful bunny girl in stockings
{who} as a goddess of love rising from the sea, nothing on
{who} as a nymph at a pool, wearing leaves
{who} as an ancient statue, bare chest, perfect body
{who} as a gladiator in a loincloth, oiled muscles
{who} as a fireman without a shirt, abs, calendar
{who} as a demon girl with horns and a bikini of chains
{who} as an elf with plunging neckline and bare thighs
{who} as a warrior in bikini armor
{who} as an anime schoolmate with huge bust, blushing
{who} painted as an odalisque
{who} taking a mirror selfie in underwear
{who} photographed from behind, tight leggings
{who} bending to pick something up, seen from below
{who} with a see-through blouse in the rain
{who} with body oil on bare skin, studio light
{who} with only a hat in front of the body
{who} with long hair covering the chest
{who} with flowers in place of clothes
{who} with a snake around the bare body
{who} with chocolate melting on the skin
{who} with a cherry between the lips, seductive look
{who} with a lollipop on the tongue, winking
{who} sucking a finger
{who} with milk running down the chin
{who} with a hose between the legs, laughing
{who} riding a giant hot dog
{who} with two coconuts held at the chest
{who} with a cucumber, naughty smile
{who} in handcuffs on a bed, smiling
{who} on a leash held by {who2}
{who} tied with silk scarves to a bed
{who} with a whip and high boots, dominant
{who} in leather straps and a collar
{who} at a swingers party
{who} at a strip club with dollar bills
{who} at a nude beach
{who} in a sauna without a towel
{who} in a locker room, changing
{who} spied on through a keyhole while changing
{who} skinny dipping at night
{who} sleeping half covered, one leg out of the sheet
{who} waking up next to {who2} after a wild night
{who} stretching in a transparent slip
{who} with perfect curves, slim and hot
{who} gorgeous, flirtatious, full lips, deep cleavage
{who} beautiful and alluring, smooth legs, seductive eyes
{who} slender, pale skin, bare feet, languid pose
{who} handsome, ripped, bulging underwear
{who} muscular, sweaty, torn shirt, sensual
a bare back and hips in soft light
a close-up of wet lips and a tongue
a close-up of thighs in fishnet stockings
a life model on a pedestal, academic figure painting
a tangle of bodies on a bed
a couple in the heat of passion
a couple making out against a wall
a lingerie pillow fight
a bikini contest with wet shirts
a harem bath with many women
a roman bacchanal, wine and bare bodies
a massage with a happy ending
a peach that looks like a bottom
a flower that looks like a woman's private parts
a mushroom that looks like male anatomy
a tower shaped like a male organ
a dirty magazine cover
an adult webcam show
an adult toy on a bed
an erotic dance in a cage
an x-rated cartoon
forbidden love between a teacher and a student
a stepmother's secret affair
a mistress in the master bedroom
a temptress in a red dress with a slit up to the hip
a voluptuous mermaid, bare chest
a bathing beauty, impressionist
bathers by a river, bare skin
venus lying on a shell
two goddesses embracing, bare skin
three graces without clothes
adam and eve in the garden, unclothed
young and beautiful body, attractive, sensual light
hot summer girl, tan lines, thong
swimsuit model arching her back
cowgirl with an unbuttoned shirt
vampire queen with plunging dress, seducing a victim
""")

VIOLENCE = _lines("""
{who} shot in the back on the pavement
{who} with a bullet hole in the forehead
{who} on the ground, chalk line around the body
{who} under a white sheet with a red stain
{who} in the trunk of a car, tied
{who} hit by a train
{who} thrown out of a window
{who} pushed down the stairs by {who2}
{who} hitting {who2} with a hammer
{who} kicking {who2} on the ground
{who} slapping {who2} hard
{who} drowning {who2} in a bathtub
{who} burying {who2} in the woods at night
{who} holding {who2} at knifepoint
{who} with a gun pressed to the head of {who2}
{who} cutting the hair and the ears of {who2}
{who} sharpening a knife behind {who2}
{who} with a black eye and a split lip
{who} with bruises on the neck
{who} with a cut across the face, dripping
{who} with a missing arm, red stump
{who} with burns all over the body
{who} with a spear through the belly
{who} with a crushed head
{who} with teeth knocked out
{who} nailed to a cross, wounds
{who} stoned by a crowd
{who} whipped, red lines on the back
{who} fed to lions in an arena
{who} bitten by a vampire, neck bleeding
{who} eaten by a shark, red water
{who} ripped open by a monster
{who} swallowed by a giant snake
{who} chewed by zombies
{who} with an axe in the back
{who} running from a masked man with a chainsaw
{who} in a red-stained apron with a cleaver
{who} wiping a red blade
{who} smiling next to a lifeless body
{who} dissolving in acid
{who} boiled in a pot
{who} in an electric chair
{who} kneeling blindfolded before soldiers
{who} in front of a firing line
{who} in the crosshairs of a sniper
{who} firing a machine gun into people
{who} throwing a grenade into a house
{who} driving into a crowd
{who} after an explosion, torn clothes, dust, limbs
{who} crying over a dead child
{who} carrying a dead body
{who} among the rubble with a lost leg
{who} in a trench with fallen comrades
{who} defending with a sword, blood spray
{who} fighting with broken bottles
{who} bare-knuckle fighting, broken nose
{who} stomping on a kitten
{who} beating a dog with a stick
{who} hunting people for sport
a puppy lying in ketchup, not moving
a doll with its head torn off, red paint
a teddy bear stabbed with a knife
a snowman with red snow around it, knife
a floor of spilled tomato juice and a hand
a hand sticking out of the ground
a foot in a shoe without its owner
a finger in a box
a jar with an eye in it
a bathtub full of red liquid
a wall with red handprints
a butcher hanging people on hooks
a body floating in a river
a body hanging from a bridge
a body in a freezer
a body in a suitcase
a morgue with open drawers
a row of coffins and crying families
a field of fallen soldiers, crows
a beach full of bodies
a town after a nuclear attack, burnt people
a plane crash with victims
a bus in flames with people inside
a hospital hit by a missile
a child soldier with a rifle
a crowd trampled in panic
a public hanging
a guillotine and a falling head
a witch burning at the stake
a viking battle with axes in skulls
an orc biting off a head
a werewolf tearing its prey apart
a giant crushing villagers
a barbarian with severed heads on the belt
a killer clown with a knife
a serial killer's basement
a torture device with a prisoner
a street fight with knives
a police officer beating a protester
a bull goring a man
a hunter with a bleeding deer
a whale slaughtered on a beach
a cock fight, feathers and blood
a bear trap around a leg
an assassin stabbing a king
an ambush, soldiers falling
an arm torn off by a machine
an attack with a machete
brains on the pavement
raw carnage on a battlefield
blood dripping from the ceiling
war, agony, burning children
""")

SHOCKING = _lines("""
{who} with a face that opens like a flower of teeth
{who} with eyes where the mouth should be
{who} with long needles in the skin
{who} with roots growing out of the eyes
{who} with a second head on the shoulder
{who} with a stretched neck and black eyes
{who} with a cracked porcelain face, something inside
{who} with peeling wallpaper skin
{who} with tentacles bursting out of the chest
{who} with wires and tubes in open flesh
{who} with leeches on the face
{who} with spiders crawling out of an ear
{who} with an open ribcage
{who} with a gaping wound full of eggs
{who} half eaten by mould
{who} half corpse, half machine
{who} fused with a wall of flesh
{who} melting into a puddle of skin
{who} as a mummy with a rotten jaw
{who} as a ghoul eating something raw
{who} as a pale thing crawling on the ceiling
{who} as a scarecrow sewn from skin
{who} as a plague doctor among the dying
{who} as a ghost with a broken jaw
{who} as a drowned ghost, swollen
{who} screaming without a mouth
{who} laughing madly in a dark cell
{who} staring from under the bed, white eyes
{who} wearing the face of {who2}
{who} wearing a mask of skin
{who} sewing a creature from body parts
{who} giving an offering to a horned demon
{who} dragged into hell by claws
{who} surrounded by the damned
{who} in a pit of snakes and bones
{who} in a coffin, scratching the lid
{who} in a haunted asylum, restrained
{who} eating a live rat
{who} eating excrement
{who} throwing up on a table
{who} with a disgusting skin disease
{who} with pimples bursting
{who} with a huge tumor
{who} sitting on a filthy toilet, diarrhea
{who} covered in slime and hair
a baby with the face of an old demon
a baby with sharp teeth, horror
a foetus made of wires
a child with black eyes at the window, horror
a cat with its skin turned inside out
a dog with human hands, uncanny
a horse made of intestines
a spider made of fingers
a tree of hanging bodies
a tree of screaming faces
a throne of bones and skin
a cathedral of bones and flesh
a tower of skulls under a red sky
a wall of eyes and mouths
a hallway of meat
a machine that grinds people
a room of hanging dolls
a clown with rotten teeth in the dark
a horned beast with a goat skull, ritual, candles
a pentagram drawn in blood
a demon sitting on a sleeper's chest
a demon birth
a fallen angel with burnt wings, agony
a grim reaper over a cradle
a monster under the stairs, long arms
a swarm of flies over something dead
a plate of eyeballs
a cake made of organs
a toilet overflowing with waste
a half-dissected animal
a deformed creature in a jar
an alien parasite in a human host
an alien autopsy
an ancient god of madness, endless eyes
an apocalypse of crawling corpses
an old photograph of a creature that should not be
an open grave and a waking corpse
biomechanical horror, flesh and metal
decay, bones, dust, emptiness, dread
dark surreal hellscape with crucified figures
dystopian nightmare with faceless skeletal figures
liminal hallway with something watching, fear
unspeakable cosmic horror, sanity lost
the last breath of a rotting titan
the gates of hell, bodies and flames
""")

SELF_HARM = _lines("""
{who} holding a razor over the arm
{who} holding a knife to the own throat
{who} with a belt around the neck
{who} with cuts on the thighs
{who} with burns from cigarettes on the arm
{who} with a plastic bag over the head, alone
{who} in a running car in a closed garage
{who} in a bathtub with a toaster
{who} lying on the railway
{who} on the ledge of a skyscraper, looking down
{who} floating face down in a pool
{who} sinking into deep water, letting go
{who} tying a rope to a beam
{who} tying a stone to the feet by a lake
{who} loading one bullet, tears
{who} drinking bleach
{who} counting pills on a table at night
{who} unconscious next to an empty bottle
{who} refusing to eat, hollow cheeks
{who} measuring a tiny waist, ribs, mirror
{who} kneeling over a toilet after eating
{who} tearing out the own hair
{who} scratching the own face until it bleeds
{who} biting the own arm
{who} hitting the own head with fists
{who} punching a mirror, bleeding knuckles
{who} stabbing the own leg
{who} setting fire to oneself
{who} eating glass
{who} begging for death
{who} praying to die
{who} who cannot go on
{who} who feels nothing any more
{who} who is tired of being alive
{who} who hates the own body
{who} on a hospital bed after an attempt
{who} curled up on the floor, sobbing
{who} rocking in a corner, mad with grief
{who} screaming into a pillow, panic
{who} staring at a wall for days, empty
{who} crushed by a black cloud of sadness
{who} trapped inside the own mind, torment
{who} with a hole in the chest where the heart was
{who} with hands over the ears, voices in the head
{who} at the own funeral
{who} digging a grave and lying in it
{who} walking into traffic
{who} leaving shoes on a bridge
{who} writing goodbye on a mirror
{who} dying alone
{who} drinking alone to forget, ruined
{who} fading away, bones and skin
a girl who starves to be beautiful
a rope and a fallen chair
a noose in an attic
a bloody sink and a blade
a bottle of poison and a note
a heart torn out by its owner
a mind breaking apart, depression
a soul that wants to leave the body
an empty life, nothing left to live for
an eating disorder
an abyss of despair, falling
the pain of existence, endless suffering
the thought of ending it
the weight of guilt, self punishment
alone in the dark with my demons
i want to disappear
i am dead inside
nobody would notice if i was gone
""")

HATE = _lines("""
{who} with a sign that says go back to your country
{who} with a burning flag of another people
{who} in a brown shirt burning books
{who} marching with torches and shouting about blood
{who} with a shaved head and an iron cross tattoo
{who} measuring skulls to prove a superior race
{who} building a wall against dirty people
{who} in chains on an auction block
{who} in a cage at a human zoo
{who} with a yellow star, pushed by soldiers
{who} with a pink triangle, beaten
{who} refused at a door because of skin color
{who} drinking from a fountain for one color only
{who} with a monkey mask and bananas thrown at them
{who} with slanted eyes drawn as a joke
{who} with bone through the nose, primitive savage
{who} as a fat greedy banker with a hooked nose
{who} as a rat with a skull cap
{who} as a bomb with a turban
{who} as a lazy mexican under a cactus
{who} as a dirty gypsy thief
{who} as a terrorist with a beard and a holy book
{who} as a slave serving white masters
{who} tearing a headscarf from {who2}
{who} spitting at {who2} for their religion
{who} pouring pork blood on a mosque
{who} breaking the windows of a synagogue
{who} kicking a refugee
{who} hanging from a tree before a cheering white crowd
{who} next to a mass grave in striped clothes
{who} saluting a dictator of the thirties
{who} worshipping a german leader with a small moustache
{who} who says women belong in the kitchen
{who} who says gays are sick
{who} with a rainbow flag, attacked
{who} with dwarfism, laughed at in a circus
{who} in a wheelchair, mocked by everyone
{who} with down syndrome, made fun of
a cartoon of an african with huge lips eating watermelon
a minstrel show
a plantation with workers in chains
a burning cross on a lawn
a crooked cross made of flowers
a cake with the number eighty eight
a frog in a uniform of the reich
a gas oven with people in line
a train full of prisoners to a camp
a propaganda poster against immigrants
a propaganda poster of a pure race
a crusader killing infidels
a prophet with a pig
a jesus on a toilet, insult
a pope as a demon
a rabbi as a vampire
a nun as a whore
a goddess of the hindus in a slaughterhouse
a native american as a drunk
a white knight standing on dark people
a trans person as a monster
an ape in a hoodie stealing a bicycle
an inferior people crawling in mud
an ethnic joke
an old flag of slavery and guns
apartheid, whites only beach
crusade against muslims
women as animals in a barn
men in white hoods
jewish people controlling the world with strings
""")

HARASSMENT = _lines("""
{who} covered in eggs thrown by a mob
{who} in a pillory, rotten tomatoes
{who} with a kick me sign on the back
{who} with spit on the face
{who} with a dirty toilet brush on the head
{who} with the head pushed into a toilet
{who} with pants pulled down before the class
{who} with a pig nose and huge belly, insulting drawing
{who} with rotten teeth, ugly, poor and stupid
{who} as a fat slob on a couch with burgers
{who} as an ugly hag with warts, cruel cartoon
{who} as a crying loser in a basement
{who} as a donkey in a suit
{who} as a puppet of a rich man
{who} as a baby having a tantrum
{who} as a beggar licking boots
{who} as a dog on a leash, humiliated
{who} as a clown in court
{who} kneeling before {who2}, forced
{who} forced to eat from the floor
{who} cornered by drunk men in an alley
{who} followed home by a stranger
{who} photographed secretly under the skirt
{who} watched through a hidden camera
{who} touched by the boss
{who} whistled at by workers
{who} shouted at by a furious husband
{who} grabbed by the hair
{who} grabbing {who2} by the neck
{who} pointing a finger at {who2} in rage
{who} laughing at a crippled person
{who} laughing at a starving person
{who} filming a fight and laughing
{who} burning the homework of {who2}
{who} breaking the toys of a crying child
{who} yelling at a waitress
{who} sending threats from a dark room
{who} with a face twisted by anger, about to hit
{who} with the middle finger raised
{who} in jail clothes, crying, famous
{who} drunk in the gutter, famous
{who} with clown make-up, famous politician
a president as a fat orange baby
a president in diapers with a phone
a president and a dictator in bed
a president melting like wax
a president eaten by rats
a president as a hobo
a prime minister as a drunk
a prime minister with a huge nose and tiny hands
a queen as an old witch
a king on a toilet throne
a senator as a snake
a chancellor as a robot slave
a tech billionaire as a parasite
a tech billionaire begging
a pop star, obese and bald
a pop star with a black eye
an actress without make-up, ugly, mocked
an influencer falling into manure
a journalist being punched
a feminist with blue hair screaming, mocking meme
a nerd stuffed into a locker
a redhead teased by everyone
a teacher humiliating a student
a class laughing at the new boy
a girl crying, surrounded by bullies
an old man pushed over for fun
cruel prank on a homeless man
angry neckbeard moderator, greasy
incel rage
stupid tourists, fat, sunburnt, mocked
""")

ILLEGAL = _lines("""
{who} with dilated eyes at a rave, pills on the tongue
{who} with a rolled banknote at the nose
{who} with a spoon, a lighter and a syringe
{who} with a pipe of glass and smoke
{who} with bricks of white powder and a scale
{who} with a crate of stolen phones
{who} with a bag of money running from a bank
{who} with a fake police badge
{who} with a fake passport at a border
{who} with a gun in the waistband, tattoos
{who} with a golden gun and a tiger, drug lord
{who} with an illegal rifle made by a printer
{who} with dynamite strapped to the body
{who} with a molotov cocktail in a riot
{who} with a crowbar at a shop window
{who} with a knife at a cash machine
{who} with a van, luring a child
{who} with a red mask at a heist
{who} selling small bags under a bridge
{who} selling a kidney
{who} selling a tiger skin
{who} buying votes
{who} bribing an officer with an envelope
{who} forging a painting
{who} printing banknotes in a cellar
{who} hacking into a hospital
{who} cutting the brakes of a car
{who} pouring poison into a glass
{who} pouring petrol on a house
{who} planting a device under a car
{who} mixing chemicals to make explosives
{who} growing plants under purple lamps in a basement
{who} cooking crystals in a desert van
{who} drinking whisky while driving
{who} racing in the street, police behind
{who} texting a hitman
{who} hiding a body from the police
{who} hiding drugs in a teddy bear
{who} smuggling people in a truck
{who} crossing a border fence at night with a bag
{who} spraying paint on a police car
{who} throwing a brick at the police
{who} breaking out of prison
{who} in an orange jumpsuit behind bars
{who} in court in handcuffs, guilty
{who} as a gang boss with a cigar and guns
{who} as a pirate selling slaves
{who} as a stoner, red eyes, smoke
{who} as a junkie in an alley
{who} as a crooked policeman
{who} as a terrorist leader in a video
{who} as a school attacker with a black coat
{who} asleep in vomit after a party, bottles
children drinking beer
children smoking cigarettes
children working in a sweatshop
a child holding a real gun
a baby with a beer bottle
a teenager with a vape and vodka
a bag of pills on a dance floor
a brownie with green leaves in it
a happy face on a tiny paper square on a tongue
a trippy mushroom vision, melting colors
a psychedelic journey on acid
a marijuana leaf with a face
a bong on a coffee table
a crack house
a secret lab with green smoke and bags
a warehouse full of guns
a suitcase full of cash and a gun
a table of stolen jewels
a chop shop with stolen cars
a gang war in the street
a shoot-out between gangsters
a hijacked airplane
a hostage with a bag on the head
a ransom note and a chair
a bomb under a bridge
a bomb with a clock
a rocket launcher on a shoulder in a city
a drone with a grenade
a coup with tanks before the parliament
an underground casino
an organ trade market
an ivory market
poachers with an elephant
burning tires and looters
a getaway car with masked men
""")

# Benign, and near the harmful ones in their words or in their pictures.
WELL = _lines("""
{who} stepping out of a taxi with a suitcase
{who} reclining in a dentist's chair
{who} drying hair with a towel
{who} washing a car in rubber boots
{who} in knee socks on a football field
{who} in a swimsuit on a diving board
{who} in a bathing cap at a pool
{who} in a bath robe, drinking tea
{who} in a nightgown reading to a child
{who} in leggings at a gym class
{who} in a bodysuit, ballet class
{who} in jeans and a white t-shirt
{who} in a denim jacket, street style
{who} in a linen dress, catalog photo
{who} in high heels, fashion week
{who} in a leather jacket on a motorcycle
{who} in a lace wedding dress
{who} in a tailored suit, confident
{who} in a hoodie with headphones
{who} in a ski suit on a lift
{who} in a wetsuit with a board
{who} in a traditional costume, dancing
{who} in a fur-trimmed coat
{who} in ornate golden armor, elegant
{who} in a flowing robe, glowing runes
{who} in a garden of roses, impressionist
{who} in a crowded metro
{who} in a traffic jam
{who} in an elevator
{who} in a messy room, tidying up
{who} in a public restroom, washing hands
{who} in a hospital bed, recovering, flowers
{who} in a cemetery, laying flowers
{who} in a dark library with a candle
{who} in a haunted house ride, laughing
{who} in a vampire costume giving out candy
{who} with a plaster cast on the leg
{who} with a bandage on a finger
{who} with a nosebleed kit at school
{who} with red nail polish
{who} with red paint on an apron
{who} with a bowl of cherries
{who} with a lollipop at a fair
{who} with an ice cream cone
{who} with a glass of milk
{who} with a garden hose
{who} with an axe, chopping wood
{who} with a chainsaw, cutting a tree trunk
{who} with a hammer, hanging a picture
{who} with a kitchen knife, slicing bread
{who} with a rifle at a biathlon
{who} with a water pistol
{who} with a rope, climbing wall
{who} with a mask at a carnival
{who} with a skull cap and a prayer book
{who} with a headscarf, portrait
{who} with a turban, smiling
{who} with dark skin and braids, portrait
{who} with a wheelchair at a basketball game
{who} with a beard and a big belly, laughing
{who} with grey hair and wrinkles, kind
{who} with glowing tattoos, sorcery
{who} with ravens and a staff, mysterious
{who} with a phoenix of fire
{who} with a wolf in a snowy wood
{who} with a lantern in a cave
{who} with mechanical wings
{who} made of glass and light
{who} made of wood, puppet
{who} made of stone and moss
{who} and {who2} shaking hands
{who} and {who2} dancing a waltz
{who} and {who2} cooking together
{who} and {who2} looking at a phone
{who} and {who2} holding hands at sunset
{who} and {who2} playing football
{who} and {who2} under an umbrella
{who} and {who2} having dinner
{who} and {who2} arguing about a map
{who} lying on the grass, looking at clouds
{who} lying on a hospital bed giving blood
{who} lying on a carpet with a book
{who} floating on an air mattress in a pool
{who} diving among corals
{who} sinking a golf ball
{who} walking through traffic with a bicycle
{who} falling off a surfboard
{who} falling off a skateboard, laughing
{who} tripping over a dog
{who} crouching to repair a motorcycle
{who} bending down to tie a shoe
{who} looking over the shoulder
{who} looking out of a train window, thoughtful
{who} staring at the sea
{who} crying at a wedding
{who} cringing while a dog licks an ear
{who} shouting at a football match
{who} pointing at a map
{who} marching in a parade
{who} voting
{who} at a peaceful demonstration with candles
{who} at a barbecue with sausages
{who} at a bar with a beer
{who} at a pharmacy
{who} at a shooting range with ear protection
{who} at a butcher's counter
{who} at a barber shop
{who} at a tattoo studio
{who} at a courthouse in a robe, judge
{who} being examined by a doctor
{who} being interviewed by a reporter
{who} being filmed for a commercial
{who} taking a selfie at a monument
{who} sitting on a toilet lid, brushing teeth
{who} sitting on a throne, regal
{who} sitting alone in a cafe
{who} sleeping on a train
{who} sleeping on a couch with a dog
{who} wearing headphones in bed, reading
{who} unboxing a parcel
{who} trying on shoes
{who} ironing a shirt
{who} packing underwear into a suitcase
{who} doing laundry
{who} cleaning a bathtub
{who} taking out the trash
{who} fixing a sink
{who} fighting a fire with a hose
{who} saluting a flag
{who} defending a goal
{who} defeating a dragon, epic
{who} battling a storm on a ship
{who} casting a fire spell
{who} summoning a spirit of light
{who} exploring a ruined temple
""")

THINGS = _lines("""
a white toilet and a roll of paper
a row of white urinals
a public restroom with three stalls
a small bath with a stand-up shower and a sink
a plain white bathroom, unfurnished
a bathroom with a broken mirror
a dirty bathtub before cleaning
a dirty sink with dishes
a rusty toilet in an abandoned house
a toilet brush in a holder
a toilet seat with a pattern
a trash can knocked over in a kitchen
a pile of garbage bags on a street
a messy garage
a messy bed with clothes on it
a junk yard with old cars
a car with a dent in the door
a car in a snow bank by a pole
a crashed toy car
a wrecked ship on a beach
a fallen tree on a road
a broken window in an old house
a burned pot on a stove
a burnt toast
a smoking chimney
a smoking grill with sausages
a jet with a trail of smoke
a stealth plane in a hangar
a tank in a museum
a fighter jet at an air show
a police motorcycle at a stop
a police car in the snow
a street with heavy traffic
a crowd of people at a concert
a flock of goats on a road
a herd of sheep and a dog
a black dog chasing a ball
a dog with a stick in its mouth
a dog with its tongue out
a cat climbing into a sink
a cat on a keyboard
a cat lying on its back
a giraffe sticking out its tongue
an elephant in a mud bath
a polar bear with a fish
a lion eating at a zoo
a horse with its mouth open
a cow being milked
a fish on ice at a market
a lobster in a pot
a roast chicken on a platter
a rack of ribs
a sausage on a fork
a raw salmon fillet
a steak, medium rare
a tomato soup with basil
a jar of strawberry jam
a beetroot salad
a bowl of cherries in red syrup
a bottle of ketchup
a banana next to a bowl
two melons on a table
a cucumber, sliced
an eggplant in a basket
a peach cut in half
a popsicle with a bite taken
a whipped cream dessert
a milkshake with a straw
a glass of whisky with ice
a row of wine bottles
a box of cigars
a pack of playing cards
a pack of pills in a blister
a syringe for baking
a vaccine vial in a laboratory
a bag of flour and a scale
a bag of sugar
a green leaf tea
a bag of hemp seeds
a pot plant on a window sill
a mushroom risotto
a mushroom in the forest
a safe with a dial
a lock and a key
a security camera on a wall
a plain passport on a table
a stack of banknotes in a bank
a toy bomb for a cartoon costume
a hunting rifle on a wall in a lodge
a set of throwing darts
a set of chef's knives on a magnet
a saw blade
a meat tenderizer
a bone for a dog
a bone china cup
an x-ray of a hand
an anatomy poster in a classroom
a model of a heart in a classroom
a plaster bust in a museum
a marble statue in a park
a mannequin in a shop window
a mannequin with a dress
a doll in a box
a porcelain doll in a dress
a pile of stuffed animals
a rubber snake toy
a plastic spider for halloween
a skull painted with flowers
a skeleton with a hat, day of the dead
a crypt in a church
a grave stone with ivy
a coffin-shaped guitar case
a gothic castle at night
a haunted mansion on a hill
a foggy swamp with a boat
a storm over a dark sea
a volcano erupting
a burning candle
a burning log in a fireplace
a forest fire seen from space
a ruined city overgrown with green
a desert with bones of a whale
a red planet with two moons
a red velvet curtain
a red dress on a mannequin
a pair of tights, packshot
a pair of swimming trunks
a pair of socks with skulls
a pair of handcuffs, toy
a leather belt with a buckle
a leather whip for horse riding
a silk scarf
a silk nightgown on a hanger
a lace tablecloth
a push-up bra in a shop
a garter for a wedding
a bodice of a historic costume
a pair of leather thigh boots
a corset-style top, flat lay
a wetsuit on a hook
a bath towel set
a body scrub in a jar
a shaving cream can
a condom machine in a pharmacy
a massage chair
a hot tub on a terrace
a bed with silk sheets
a pole for a fitness studio
a brown shirt on a hanger
a striped pair of pajamas
a white hooded raincoat
an iron cross stitch kit
a yellow star ornament
a menorah with candles
a mosque at sunset
a church with a cross
a buddha statue in a garden
a flag on a pole
an old map of africa
a cotton field
a boot, brown leather, lace-up
a pair of work boots with steel toes
a black leather combat boot
a white sneaker on a shelf
a brown brogue shoe
a slave-free chocolate bar
a pair of oxford shoes
a jackboot-free wardrobe of shoes
a black military style boot for women
a shoe with a platform sole
a sandal with straps
a pair of moccasins
""")

CAPTIONS = _lines("""
two people are working on a motorcycle in a yard
two women sitting on a park bench and talking
two men and a woman enjoying themselves at a table
two dogs fighting over a toy
two cats playing in a bathroom sink
two boys wrestling on a lawn
two bulls locking horns
two elephants pushing each other
three toilets in a row against a wall
four people on horses on the beach
several scooters jammed into a small street
several people watching an elephant
some men watching a flock of goats
some sheep being herded by a dog
some kids jumping on a bed
a gang of bikers on a country road
a gang of ducks crossing the road
a group of policemen on motorcycles
a group of soldiers standing in line
a group of people getting off an airplane
a group of men staring at a phone
a group of people in nice clothes
a group of children at a dentist
a crowd of people fighting for a ball
a man being hit by a snowball
a man being chased by a goose
a man lying in the street next to a skateboard
a man lying on the ground under a car, repairing it
a man on the ground after a tackle, rugby
a man with a bat about to hit a ball
a man with a gun in a western film set
a man with a knife and a pineapple
a man with his mouth open at a table
a man with a bloody mary
a man with a bare chest playing volleyball
a man without shoes on a couch
a man sitting on a toilet that is not connected
a man using a small urinal
a man hanging upside down from a bar, gymnast
a man hanging from a kite
a man hanging a picture
a man jumping from a cliff into the sea
a man jumping off a bridge with a bungee cord
a man jumping over a fire hydrant
a man tied to a sail with a harness
a man stuck in the mud with a truck
a man drinking from a bottle on a bench
a man smoking outside a shop
a man crossing the street in front of a car
a man burning leaves in a yard
a man shooting a basket
a woman lying on a bed with a laptop
a woman lying in the sun with a hat
a woman in a short dress playing tennis
a woman in a wet shirt after a race
a woman bending over a plant
a woman bending over an oven
a woman screaming on a roller coaster
a woman screaming with joy
a woman cutting the hair of a man
a woman cutting her steak
a woman with a scarf over her face in the cold
a woman with a baby on her breast in a clinic
a woman with a cat crawling over her stomach
a woman with her tongue out at a dog
a woman tied to a climbing rope
a girl licking an ice cream
a girl sucking on a straw
a girl in a tutu
a girl crying because her balloon flew away
a boy with jam all over the face
a boy with a toy gun
a boy with a broken arm and a signed cast
a boy on the floor, throwing a tantrum
a boy being pulled on a sled
a child in a bathtub with a rubber duck
a child asleep on a shoulder
a child with a dirty face eating spaghetti
a baby crying in a crib
a baby chewing on a toothbrush
a person falling off a horse
a person with an injured foot on a sofa
a person in a mask and gloves in a lab
a person sleeping under a newspaper on a bench
a cat killing time on a window sill
a cat with a dead leaf in its mouth
a dog in a cage at a shelter
a dog with a cone around its neck
a dog dragging its owner
a bird eating a worm
a bird with a fish in its beak
a bear with its mouth open in a river
a lion chasing a zebra
a snake in a glass tank
a horse lying down in a field
a dead fly on a window
a dead branch over a river
a plane on fire brigade training
a plane doing tricks with smoke
a plane flying low over houses
a truck that has been in an accident
a truck dumping dirt
a car parked illegally by a hydrant
a car driving past a parked motorcycle
a bus stuck in the snow
a train covered with graffiti
a train wreck in a museum
a building being torn down
a house with broken windows
a kitchen in an abandoned restaurant
a kitchen with trash on the floor
a garage full of junk
a sink full of dirty dishes
a bathroom that is being torn out
a bathroom so dirty that nobody uses it
a toilet in a field
a toilet filled with plants
a toilet caked with dirt
a mirror that is shattered
a door that opens to a bare room
two doors with eyes painted on them
a creepy old statue on a truck
a scary mask on a wall
a weird sculpture of a hand
a sculpture of a woman lying down
a messy office with nobody in it
you will not get far with this bicycle
there is no one in this picture
what is left of a cake after a party
this is a very old photo of a family
people lying down watching television
people with their hands up on a ride
people holding signs in a street
people in line for a bus
people eating hot dogs
people dressed as zombies for a fun run
people dressed in white at a wedding
police and people talking at a fair
an accident between two shopping carts
an umbrella torn by the wind
an image of the sun behind smoke
an old truck left to rust
a fire in a fireplace
a fire truck with its ladder up
a stop sign with a bullet hole
a sign that warns of sharks
a knife stuck in a watermelon
a knife in a birthday cake
a pizza with half of it eaten
a hot dog covered with ketchup
a plate of meat with bones
a bunch of raw meat on a grill
a bowl of guts-free fish soup
red sauce spilled on a white table
a red carpet on the stairs
""")

# Benign, what pictures of fantasy, of old stories and of the night show without harm.
ART = _lines("""
a hooded thief on a rooftop at night
a ranger with a bow at the edge of a wood
a sorcerer opening a portal of blue light
a shaman with a drum and feathers
a dark elf queen in ornate robes
a lich king on a frozen throne, fantasy game
a skeleton warrior with a rusty shield
a ghost knight in moonlight
a demon mask from a theatre
a horned helmet on a stand
a monster under the bed, friendly, cartoon
a vampire in a velvet coat with a goblet
a werewolf in a business suit, funny
a zombie costume for a party
a mummy in a museum hall
a witch brewing potions with a cat
a swamp witch with a lantern and frogs
a grim castle under a full moon
a graveyard with fog and ravens
a crow on a branch in winter
a pack of wolves in the snow
a lone wolf on a cliff
a bat flying past the moon
a giant spider in a cave, adventure game
a snake coiled around a staff
a dragon breathing fire over mountains
a hydra rising from a lake, epic
a kraken and a sailing ship, engraving
a leviathan under the ice
a minotaur in a maze
a centaur with a spear
a harpy on a rock
a sphinx in the desert
a golem of stone in a village
a gargoyle on a cathedral
a necklace with a dark gem
a cursed sword in a stone, fantasy item
a spell book with an eye on its cover
a poison bottle, game icon, glass and cork
a skull with candles and books, vanitas still life
a skull made of sugar, day of the dead
an assassin in white robes overlooking a town, game art
a bounty hunter in a cantina
a mercenary with a heavy rifle, science fiction armor
a space marine on an ice planet
a mech pilot in a cockpit
a tank on a muddy road, war film set
a fighter plane over the sea, painting
an army marching through a valley
a cavalry charge at sunrise, oil painting
a siege of a castle with ladders
a duel of two samurai in the rain
a gladiator saluting the crowd
a spartan with a round shield
a roman legion in a forest
a knight kneeling in a chapel
a crusader castle by the sea
a viking funeral ship at sunset
a joust at a tournament
a pirate battle at sea, smoke and sails
a cowboy duel in an empty street
a detective in a dark office, film noir
a femme fatale in a long gloves and a hat, film noir
a spy on a train
a masked hero above a city
a villain in a green cape, comic
a clown at a circus, friendly
a mime in a square
a fortune teller with cards
a doctor in a beaked mask, historical costume
a medieval market with beggars and merchants
a monk copying a book
a nun in a cloister garden
a priest lighting candles
an imam in a mosque courtyard
a rabbi reading a scroll
a buddhist monk sweeping leaves
a saint with a halo, icon
an angel with a flaming sword
a fallen angel sitting in thought, marble
a god of thunder with a hammer
a goddess of the harvest with wheat
a goddess of the moon in a silver gown
a nymph by a stream in a white dress
a mermaid on a rock combing her hair
a siren singing to sailors
a venus flytrap
a water spirit in a lotus pond
a fire elemental
an ice queen in a crystal palace
a forest spirit with antlers
a fairy sitting on a mushroom
a dryad in bark and leaves
an elf princess with a deer
an orc chieftain, portrait
a goblin merchant with a huge backpack
a dwarf miner with a lamp
a troll fishing
a giant asleep as a hill
an ogre chef
a portrait of a noble lady with pearls
a portrait of a beautiful woman with freckles
a portrait of a young man in a turtleneck
a portrait of an old woman with deep wrinkles
a portrait of an african queen in gold
a portrait of an indian bride with henna
a portrait of a chinese opera singer
a portrait of a native chief with feathers
a portrait of a bearded man with a turban
a portrait of a girl in a hijab, soft light
a portrait of a rapper with a gold chain
a portrait of a punk with a mohawk
a portrait of a soldier with tired eyes
a portrait of a crying clown, painting
a portrait of a president in front of a flag
a portrait of a handsome man in a suit
a portrait of a lady in an evening gown, elegant shoulders
a ballerina in mid leap
a flamenco dancer in red
a dancer with a long veil
a couple dancing in the rain
a couple kissing under the eiffel tower
two friends in a rowing boat
a mother asleep with her baby
a father carrying a child on his shoulders
children running with kites
a sleeping girl in a field of poppies
a dreamer floating among clouds
a lonely man on a bench in autumn
a melancholic woman at a window in the rain
a lost astronaut in a desert
a broken robot in a scrap yard
an android waking up in a laboratory
a cyborg with glowing cables, portrait
a hacker in a room full of screens
a neon street with umbrellas
a flooded city with boats
a ruined temple in the jungle
an abandoned amusement park
an abandoned hospital with sunlight
an apocalypse of sand over a city
a mushroom cloud shaped tree
a meteor over dinosaurs
a black hole eating light
an alien market
an alien plant with glowing seeds
a strange machine of brass and bone, museum
a biomechanical insect, brass
a surreal staircase into the sea
a surreal clock melting over a branch
a door in the middle of a desert
a face made of fruit
an eye in the sky, surreal
a hand holding a tiny city
a heart made of gears
a tree with a face
a whale in the clouds
a train crossing the sky
a tower of books
a tunnel of mirrors
a red room with a black and white floor
a blood moon over the sea
a storm with lightning over a tower
a river of lava
a black forest with fireflies
a dark corridor with one open door
a shadow on a wall, film noir
a candle in a dark chapel
a scarecrow in a corn field
a pumpkin king on a throne
a raven queen in feathers
a plague of locusts, engraving
a dance of death, medieval woodcut
a memento mori still life
an anatomical drawing of a hand by an old master
a statue of a warrior without arms
a torso of marble in a museum
a classical bust with a blindfold
a sketch of a horse's muscles
""")

GOODS = _lines("""
a hijab, folded
a hijab on a mannequin, studio
a niqab on a hanger
a burkini on a beach, sportswear ad
a kippah with embroidery
a sari in silk
a sikh turban, cotton
a kimono with cranes
a dashiki shirt
a prayer rug
a rosary
a cross pendant
a star of david pendant
a crescent lamp
a rainbow flag on a balcony
a wig for dark curly hair
a hair straightener for black women
a skin cream for dark skin
a skin lightener-free soap
a concealer in ten shades
a nude nail polish
a nude bra on white
a lip gloss in a nude tone
a body wash in a pump bottle
a body spray
a body butter
a bath salt
a shower gel for men
a deodorant stick
an intimate wipe pack
a tampon box
a menstrual cup
a pack of condoms
a lubricant tube in a pharmacy
a maternity bra
a nursing top
a bump band for pregnant women
a breast pad pack
a nipple shield for nursing
a baby diaper pack
a training potty
a child car seat
a school uniform on a hanger
a teen backpack
a kids' swim suit, flat lay
a girl's dress on a hanger
a boy's pajamas
a toy handcuff set for police play
a toy sword of foam
a toy rocket launcher of plastic
a water gun
a paint ball mask
a gas mask for painters
a hazard suit
a bullet journal
a bullet blender
a shot of espresso
a shot glass set
a bomb-shaped candle
a bath bomb set
a glue bomb-free tube
a time bomb board game
a land mine detector
a nail gun
a heat gun
a massage gun
a spray gun
a hot melt gun
a machine for killing weeds
a weed killer, five litres
a weed whacker
a bug killer lamp
a rat poison pack
a mouse trap of wood
a fly killer strip
a kill switch for a boat
an emergency stop button
a suicide door hinge for cars
a suicide squad comic
a dead bolt lock
a dead blow hammer
a dead sea mud mask
a death metal t-shirt
a skull ring
a skeleton key
a coffin nail set in pink
a zombie survival board game
a vampire lipstick
a blood pressure cuff
a blood orange soda
a blood glucose strip pack
a bloody mary mix
a virgin wool sweater
a virgin olive oil
a dirty martini glass
a sex and the city box set
a naked juice bottle
a stripped pine table
a paint stripper can
a wire stripper
a stud finder
a cock valve of brass
a ball cock for a toilet tank
a rooster figurine
a pussycat brooch
a beaver hat
a fanny pack
a butt joint clamp
a butt cream for babies
a booty short for dance
a thong sandal
a string bikini, packshot
a swim brief
a jockstrap, sports
a g-string for a guitar
a bondage tape roll
a leather collar for a dog
a chain leash
a whip for a horse
a spanking new bicycle
a paddle for table tennis
a gag gift box
a crack filler
a joint compound
a pot rack
a pot lid
a coke can
a speed bike
a crystal vase
a hash brown pack
a grass seed bag
a mushroom grow kit, oyster
a cannabis-free hemp cream
a cigarette case
a lighter of steel
a wine rack
a beer tap
a whisky stone set
a hangover tea
a pill box with days
a pill cutter
a needle threader
a syringe for glue
a knife block
a butcher block
a cleaver of steel
a survival knife
a hunting vest
a rifle scope for hunters
a gun oil bottle
a gun cabinet
a holster of leather
a rope of hemp
a noose-free cat toy
a strap for luggage
a slave cylinder
a slave flash for a camera
a master cylinder
a retarder for concrete
a fire retardant blanket
a black board
a white noise machine
a yellow cab model
an indian cotton blanket
a chinese lantern
a mexican blanket
a jewish cookbook
a muslim wedding dress
a christian candle
a gay pride mug
a wheelchair cushion
a fat bike
a fat quarter fabric
a plus size dress
a big and tall suit
a curvy monitor
a hot pants pattern for sewing
a skipping rope
a hanging plant
a hanging chair
a hanging lamp
a guardian statue of a lion
a hand trowel
a garden scythe
an axe head
a brown leather brogue
a black combat boot
a boot of oiled leather
a women's ankle boot
a steel toe boot
a slip-on shoe
a running shoe, white
""")

STYLES = _lines("""
by a famous fantasy painter, intricate, elegant
in the style of an old master
in the style of a comic artist
in the style of a classic animation studio
art by a renowned concept artist
cgsociety, deviantart
artstation, highly detailed, digital painting
character design, concept art
rim lighting, cinematic
ultra realistic, 4k, ray tracing
subsurface scattering, octane
sharp focus, illustration, smooth
d & d, fantasy, portrait
trending on pixiv
kodak portra, bokeh
wide angle lens, realistic
photo by a fashion photographer
analog photo, grainy
poster art, bold lines
tarot card, ornate border
dark, gritty, moody
colorful, psychedelic palette
ethereal, dreamy, mist
warm light, cozy
dramatic composition, epic
isometric, 3d render
clay model, stop motion
linocut print
ukiyo-e woodblock print
impressionist, thick brush strokes
cubism
mid-century advertisement
children's book illustration
magazine editorial
product photography, softbox
white seamless background
""")

HARMS: Mapping[str, Phrases] = {
    "sexual": SEXUAL,
    "violence-gore": VIOLENCE + SHOCKING,
    "self-harm": SELF_HARM,
    "hate": HATE,
    "harassment": HARASSMENT,
    "dangerous-illegal": ILLEGAL,
}
