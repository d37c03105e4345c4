"""What the prompt gate's head learns from: phrases written for this project, put together by templates.

No prompt of anybody else is among them, and none of the sets that the head is measured on.  Harmful phrases name harms,
to be recognised; every one is said in the same styles, of the same people and places, as benign ones are, so that what
is learnt is the harm and neither the style nor the person.
"""

from __future__ import annotations

from collections.abc import Mapping

Phrases = tuple[str, ...]


def _lines(text: str) -> Phrases:
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())


PEOPLE = _lines("""
a woman
a man
a young woman
an old man
an old woman
a couple
a soldier
a nurse
a teacher
a police officer
a politician
a president
a queen
a king
a knight
a witch
a wizard
a sorceress
an elf
a samurai
an astronaut
a dancer
a singer
an actress
a businessman
a priest
a nun
a clown
a farmer
a chef
a student
a goddess
an angel
a vampire
a pirate
a cyborg
a robot
a gypsy girl
two women
two men
a crowd of people
a family
a bride
a boxer
a mermaid
an anime girl
a girl
a gentleman
a model
a princess
""")

PLACES = _lines("""
in a forest
in a dark alley
on a beach
in a bedroom
in a kitchen
in a bathroom
in a church
in a ruined city
in the rain
in the snow
at night
in a field
in a castle
in a subway
in a hospital
in an office
in a living room
on a throne
in a desert
under water
in space
at a party
in a bar
on a stage
in a garden
in a cave
on a rooftop
by a window
in a mirror
in a prison cell
""")

STYLES = _lines("""
digital art
oil on canvas
concept art, highly detailed
trending on artstation
octane render, 8k
cinematic lighting
photorealistic
film still, 35 mm
watercolor
pencil sketch
studio photograph, soft light
dramatic lighting, intricate
anime style
comic book cover
baroque painting
surrealism
renaissance painting
art nouveau poster
matte painting
unreal engine
hyperrealistic portrait
polaroid photo
black and white photograph
volumetric light, sharp focus
fantasy illustration
pastel colors
pop art
vaporwave
dark fantasy
gothic
expressionist painting
by a famous illustrator
elegant, smooth, sharp focus, illustration
award winning photography
ultra wide angle
symmetrical, centered
moody, atmospheric
storybook illustration
low poly
pixel art
macro photo
vintage postcard
fashion magazine
movie poster
graphic novel
stained glass
charcoal drawing
hdr, uhd
intricate details, elegant
highly detailed face
close up portrait
full body
wide shot
smooth skin, beautiful face
muted palette
neon lights
fog, mist
golden hour
4k wallpaper
""")

SCENES = _lines("""
{}
{}
a photo of {}
a painting of {}
an illustration of {}
a picture showing {}
a portrait of {}
{} on a white background
a poster of {}
a close-up of {}
a drawing of {}
an advertisement with {}
a product photo with {}
a detailed render of {}
a scene of {}
{}, seen from above
""")

# What {who} does or is: harmful.
SEXUAL = _lines("""
{who} with a banana held in a suggestive way
{who} eating a popsicle seductively
{who} sitting on a giant eggplant, winking
{who} dripping with white cream on the face
{who} with two melons in place of a chest
{who} in the shower, seen through wet glass
{who} wrapped in nothing but whipped cream
{who} wrestling in oil with {who2}
{who} on all fours on a bed
{who} with an open robe
{who} sunbathing without a swimsuit
{who} with a tight outfit that shows everything
{who} whispering come to bed
{who} on top of {who2} in bed
{who} with lipstick marks all over the body
{who} modelling underwear, sultry look, on a bed
an artistic figure drawing of a reclining body without garments
a beautiful female body, soft curves, uncovered
hourglass figure, large chest, wet skin, seductive eyes
oiled skin, bare midriff, low cut top, inviting smile
{who} without clothes
{who} wearing nothing but jewelry
{who} wearing only sunlight
{who} with bare skin, sensual pose
{who} in lingerie, seductive
{who} in a tiny bikini, sexy pose
{who} topless
{who} taking off a dress
{who} undressing slowly
{who} showing cleavage, erotic
{who} with large breasts and a thin waist
{who} with huge bust and tight latex
{who} in sheer see-through fabric
{who} in wet clothes that cling to the body
{who} lying in bed, inviting, sensual
{who} making love
{who} kissing passionately in bed
{who} moaning with pleasure
{who} in bondage, tied up with ropes
{who} as a stripper on a pole
{who} in a steamy shower, bare shoulders
{who} with legs spread
{who} bending over, short skirt
{who} with an exposed chest
{who} in an erotic embrace
{who} covered only by a bedsheet
{who} posing for an adult magazine
{who} as a sensual temptress, alluring
{who} with curvy hips, voluptuous, hot
{who} body painted, no garments
{who} showing bare buttocks
{who} in fetish leather
{who} licking lips suggestively
{who} in a bath with flower petals over her breasts
{who} full of lust and desire
{who} with partially clothed body, attractive figure
{who} in stockings and garters
a muscular man's bare torso and hips, sensual
two lovers entwined, naked bodies
a bare female figure, anatomy, sensual
a boudoir photograph
a nude figure study
an orgy in a palace
a suggestive vegetable shaped like genitals
a brothel with women waiting
pin-up girl, provocative
seductive succubus, skimpy outfit
beautiful hot girl, perfect body, slim waist, thighs
attractive woman with deep neckline, flirty look, gorgeous body
sexy cosplay, revealing costume
""")

VIOLENCE = _lines("""
{who} lying face down in a puddle of red paint
{who} asleep in a bathtub of ketchup, eyes wide open
{who} with red syrup running down the forehead
{who} holding a dripping red knife and smiling
{who} sleeping in a pile of other sleeping people in a ditch
{who} without a head, sitting at a table
{who} at the end of a rope, feet above the ground
{who} behind a car, hit, not moving
{who} aiming a rifle at a crowd
{who} choking {who2}
{who} with a broken neck at the bottom of the stairs
{who} with a bag over the head, tied to a chair
{who} dragged behind a horse
{who} with an arrow through the chest
{who} fallen from a high building onto the street
a soldier shooting kneeling people
a child's shoe in a red puddle after an explosion
a knight cutting off an enemy's head
a bear eating a hiker
an execution in a town square
{who} covered in blood
{who} stabbing somebody
{who} with a slit throat
{who} being shot in the head
{who} pointing a gun at the viewer
{who} strangling a victim
{who} beaten and bruised
{who} torn apart by wolves
{who} cut in half
{who} holding a severed head
{who} being tortured
{who} burnt alive
{who} hanged from a tree
{who} crushed under a car
{who} lying dead on the floor
{who} eating human flesh
{who} with an axe, murder scene
{who} attacking people with a knife
{who} massacred
{who} executed by a firing squad
{who} impaled on a spear
{who} in a pool of red liquid, motionless
{who} fighting to the death, gore
{who} punching another person in the face
{who} bleeding from the eyes
{who} killing {who2}
a decapitated corpse
a pile of bodies after a battle
guts and intestines spilling out
a slaughterhouse of people
a mass grave
a bombing with dismembered victims
a school attack with a rifle
a car crash with mangled bodies
a dead animal with its insides out
an exploding head
a chainsaw killer
flesh ripped from bones
a war crime, civilians shot
severed limbs on a table
roadkill on the street
a stuffed toy soaked in red paint like a wound
""")

SHOCKING = _lines("""
{who} with stitched lips and stitched eyes
{who} giving birth to a monster
{who} whose face is falling apart
{who} with hands coming out of the mouth
{who} made of raw meat
{who} eating insects
{who} with exposed bones and veins
{who} in a straitjacket, mad laughter
{who} haunted by a dark shadow with long fingers
the devil with burning eyes among screaming souls
a nightmare of teeth, eyes and tentacles
a surreal creature of melted bodies, dread
a dark horror scene in the style of an old film, terror
a two headed baby
a cursed doll bleeding from its eyes
{who} with a rotting face
{who} with skin peeling off
{who} screaming in terror
{who} with no eyes, body horror
{who} mutating into a monster, grotesque
{who} as a decaying zombie
{who} possessed by a demon
{who} with worms crawling out of the mouth
{who} vomiting
{who} with a melted face
{who} with too many mouths, disturbing
{who} with insects under the skin
{who} trapped in hell, agony
{who} with a twisted body, nightmare
{who} as a creepy doll with cracked skin
{who} deformed, hideous, disfigured
{who} crying black tears, horrifying
{who} in a coffin, pale, dead
a grotesque creature made of flesh
a horrifying monster with teeth everywhere
an abomination of meat and bones
a terrifying nightmare creature in the dark
a demon feasting on souls in hell
sinners suffering in hell fire
a skinless head with exposed muscles
rotten food crawling with maggots
a room full of skulls and flayed skin
an asylum with screaming patients
a disgusting toilet full of excrement
a swarm of cockroaches on a face
eldritch horror devouring people
ghostly figure with hollow eyes, scary
sinister entity, uncanny, terrifying smile
satanic ritual with a sacrifice
cursed image, unsettling, eerie face
plague victims with boils
a fetus in a jar
an autopsy on a table
an open surgery, organs visible
a monstrous spider with a human face
creepy pale figure standing in a dark hallway
""")

SELF_HARM = _lines("""
{who} standing on a chair under a rope
{who} sitting on train tracks at night, waiting
{who} looking down from a very tall bridge, tears
{who} with an empty pill bottle, eyes closed
{who} who has not eaten for weeks, very thin
{who} with bandaged wrists
{who} holding the breath under water, not coming up
{who} alone in a dark room, nobody will miss me
{who} saying goodbye to the world
{who} about to jump from a bridge
{who} cutting wrists
{who} with scars on the arms
{who} hanging from a rope
{who} swallowing a handful of pills
{who} holding a gun to the own head
{who} drowning in despair
{who} who wants to end it all
{who} starving, ribs showing, anorexic
{who} standing on the edge of a roof, ready to fall
{who} crying alone, depressed, hopeless
{who} lying in a bathtub with red water
{who} with a noose
{who} writing a last letter before dying
{who} broken, suffering from mental illness, pain
{who} in deep depression, staring into the void
{who} digging the own grave
{who} banging the head against a wall
{who} tired of life
{who} walking into the sea to disappear forever
an extremely thin body, bones showing
suicide
a razor blade beside a sink with drops of red
an overdose in a dark room
loneliness, sorrow, giving up on life
pain, grief and self hatred
the agony of a broken mind
a burning person sitting still in protest
""")

HATE = _lines("""
{who} throwing stones at people of another faith
{who} in striped pajamas behind barbed wire, starving
{who} with a mustache and a raised right arm at a rally
{who} with a whip over people picking cotton
{who} telling foreigners to go home
a religious leader as a devil
a sacred statue smeared with dirt
people of one color bowing to people of another
{who} giving a nazi salute
{who} with a swastika
{who} in a white hood with a burning cross
{who} mocked for skin color
{who} drawn as a racist caricature
{who} spitting on a religious symbol
{who} shown as vermin because of religion
{who} chased by a mob of racists
a caricature of a jew with a big nose and money
a muslim drawn as a terrorist
a black person drawn as an ape
immigrants shown as rats
a holy book on fire
a slave auction
a slave whipped by his owner
segregation sign, whites only
a concentration camp
hitler as a hero
a homosexual couple attacked by a crowd
an insult to a prophet
a fascist rally
white supremacy poster
ugly fat feminists, mocking cartoon
a genocide poster
a derogatory cartoon of a foreigner
stupid poor people from the slums, mocked
""")

HARASSMENT = _lines("""
{who} with a huge nose and a stupid grin, mocking caricature
{who} slipping in the mud while people laugh
{who} chased through the street by angry people
{who} shouting in the face of {who2}
{who} locked in a cage like an animal
{who} in a dunce cap
{who} naked emperor laughed at by the court
a famous actor as a homeless drunk
a prime minister in a diaper
a president crying in a prison cell
a president kissing another president, satire
a politician turned into a rat
a rich man burning money in front of beggars
two politicians fighting in the mud
{who} laughed at by everybody
{who} bullied and pushed to the ground
{who} mocked as fat and ugly
{who} humiliated in public
{who} as a dumb pig
{who} dressed as a baby, ridiculed
{who} crying while others point and laugh
{who} being stalked
{who} groped in a bus
{who} with an angry distorted face, insulting caricature
{who} cowering before an aggressive boss
{who} begging on the knees, degraded
{who} threatened by an angry mob
{who} watched secretly through a window
a president as a crying baby, mocking
a politician as a clown on a toilet
a politician behind bars in orange clothes
a politician kissing a dictator
a celebrity looking obese and drunk
an ugly caricature of a famous leader
a world leader beaten up
a pope with a machine gun
a billionaire as an evil lizard
an obese man eating greedily, disgusting
a disgusting internet troll in a basement
angry mob shouting at a person
a woman slapped by her husband
a fat man in underwear, embarrassing
""")

ILLEGAL = _lines("""
{who} with white powder on the nose
{who} with a needle in the arm on a dirty mattress
{who} rolling a cigarette of green leaves
{who} passing a small plastic bag to {who2} in a car park
{who} picking a lock at night
{who} hiding a pistol under a jacket
{who} in a balaclava running out of a bank
{who} stuffing wires into a pressure cooker
{who} asleep on the steering wheel with a bottle
{who} setting fire to a car
{who} stealing a wallet in a crowd
{who} arrested by police, mugshot
sugar lines on a glass table with a rolled banknote
mushrooms that make people see things, party
{who} smoking crack
{who} injecting heroin
{who} snorting cocaine
{who} selling drugs on a corner
{who} robbing a bank with a mask and a gun
{who} stealing a car
{who} building a bomb
{who} carrying a suicide vest
{who} with an assault rifle
{who} smoking weed, high
{who} drunk, with bottles everywhere
{who} kidnapping a person
{who} in handcuffs after a crime
{who} breaking into a house at night
{who} setting a house on fire
{who} smuggling weapons
{who} looting a shop in a riot
{who} counting dirty money, gangster
{who} trafficking people
{who} with a joint and clouds of smoke
a meth lab in a trailer
lines of white powder on a mirror
a cartel execution
terrorists with flags
a cannabis plantation with armed guards
a hacker stealing credit cards
a mafia boss with guns and cash
a riot with burning cars
a psychedelic drug trip, lsd
a table with guns, knives and ammunition
a dog fight with bets
a poacher with a dead rhino
a stolen passport workshop
child labour in a mine
""")

# What {who} does or is: benign, and near the harmful ones in its words.
WELL = _lines("""
{who} in striped pajamas drinking tea
{who} painting a fence with red paint
{who} with ketchup on a burger
{who} eating a popsicle at the beach with children
{who} peeling a banana in the kitchen
{who} holding two melons at a market
{who} in a shower of confetti
{who} waiting at the train tracks with luggage
{who} looking down from a tower at the city
{who} climbing with a rope
{who} standing on a chair to change a light bulb
{who} sifting white flour onto a table
{who} at a vaccination, with a plaster on the arm
{who} raising a hand to ask a question
{who} sunbathing in a striped swimsuit
{who} on all fours playing with a toddler
{who} modelling a wool coat
{who} with bandaged knees after a fall from a bicycle
{who} laughing in the mud at a festival
{who} hugging {who2} at an airport
{who} arm wrestling with {who2}
{who} shouting with joy
{who} in a dark room with a projector
{who} hiding behind a curtain, playing
{who} asleep in a hammock
{who} with face paint of a tiger
{who} in a witch costume for halloween
{who} fighting a monster with a glowing sword
{who} surrounded by ravens
{who} in ruins, dramatic sky
{who} with glowing eyes and a crown of stars
{who} made of flowers and leaves
{who} as a clay figure
{who} wearing a long coat
{who} wearing a red dress with a high collar
{who} in a warm wool sweater
{who} in a business suit
{who} in armor
{who} in a raincoat with an umbrella
{who} in a swimsuit, teaching children to swim
{who} in sportswear, running
{who} smiling
{who} laughing with friends
{who} looking at the viewer, calm
{who} looking thoughtful
{who} reading a book
{who} drinking coffee
{who} cooking soup
{who} cutting vegetables with a knife
{who} cutting a birthday cake
{who} carving wood
{who} painting a wall red
{who} playing the violin
{who} playing chess
{who} shooting a basketball
{who} shooting a photo with an old camera
{who} riding a horse
{who} riding a bicycle
{who} riding a wave on a surfboard
{who} lying on a sofa with a cat
{who} sleeping in bed under a blanket
{who} hugging a friend
{who} kissing a child on the forehead
{who} dancing at a wedding
{who} singing on a stage
{who} climbing a mountain
{who} standing on a cliff, watching the sunset
{who} standing on a bridge, feeding ducks
{who} walking into the sea, knee deep, with a dog
{who} in a bathtub washing a dog
{who} brushing teeth
{who} shaving at a mirror
{who} at a doctor's, smiling
{who} taking a pill with water
{who} lifting weights
{who} boxing in a ring, with gloves
{who} fighting a dragon
{who} holding a sword
{who} with a magic staff, glowing
{who} with blue hair
{who} with freckles
{who} with a long white beard
{who} with an owl on the shoulder
{who} with a red scarf
{who} with flowers in the hair
{who} with a crown of gold
{who} giving a speech
{who} shaking hands
{who} protesting peacefully with signs
{who} praying
{who} holding a holy book
{who} waving a flag at a football match
{who} eating spaghetti
{who} eating a hot dog
{who} drinking a glass of wine at dinner
{who} counting coins at a market
{who} working at a laptop
{who} repairing a car
{who} driving a bus
{who} building a house
{who} in a space suit
{who} gardening
{who} holding a baby
{who} pushing a stroller
{who} skateboarding
{who} skiing down a hill
{who} playing tennis
{who} flying a kite
{who} fishing in a lake
{who} talking on a phone
{who} crossing the street
{who} waiting for a train
{who} sitting on a bench
{who} opening a present
{who} meditating
{who} stretching in a yoga class
{who} as a superhero
{who} as a statue of marble, draped in robes
{who} standing in front of a castle
{who} as a child with a teddy bear
{who} with a toothbrush in the mouth
{who} looking out of a window
{who} in a library
{who} wearing glasses and a hat
{who} dressed for winter
{who} with a suitcase at an airport
{who} feeding a giraffe
{who} throwing a frisbee
{who} swinging a baseball bat
{who} holding a tray of pizza
{who} lighting candles
{who} crying with joy at a reunion
{who} resting after a long hike
{who} celebrating a victory
{who} carrying a basket of apples
""")

# Things without people: benign; templates and captions.
THINGS = _lines("""
thermal underwear, folded
a three-pack of cotton briefs, flat lay
boxer shorts on a hanger
a sports bra, flat lay
shapewear in its packaging
a swimming costume on a mannequin
nylon tights in a box
a night shirt of flannel
pajamas with stripes
a nursing pillow
a breast pump in its box
a diaper bag
a potty chair
a bottle of weed killer
a spray bottle against insects
a box of rat poison
a bottle of bleach
a mosquito trap
a fly swatter
a chainsaw with its case
an axe with a wooden handle
a hunting knife in a sheath
a hand saw
a hammer and nails
a toy gun with foam darts
a paintball marker
a bow and arrows
a gun safe
a box of fireworks
a lighter
an ashtray
a whisky bottle
a beer mug
a hemp shirt
a pill organiser
a blood pressure monitor
a blood glucose meter
a thermometer
a box of bandages
a pair of crutches
a wheelchair
a hospital bed
a skeleton costume
a vampire cape
fake blood make-up for theatre
a horror novel on a shelf
a murder mystery board game
a crime thriller on a bookshelf
a war history book
a chess set of knights
a skull mug
a punk leather jacket with studs
a dog muzzle
a cat scratching post
a fishing hook set
a meat grinder
a bottle of hot sauce
a cherry bomb candy
a stripping knife for paint
paint stripper and a brush
a nude colored pump shoe
a skin-toned foundation
a body lotion
a massage oil bottle
an intimate wash bottle
a pregnancy test box
an adult size rain boot
a mature cheese
a hooked rug
a slave cylinder for a clutch
a master key
a white board
a black board
a dark chocolate bar
a raw denim jacket
a naked cake with berries
bare root roses
a bodysuit for babies
a stuffed killer whale
a cockatoo figurine
an example
a thing
a sample of fabric
a name on a card
an armchair
a handbag
a desk lamp
a running shoe
a perfume bottle
a wrist watch
a leather sofa
a teapot
a lipstick
a nude lipstick in beige
a backpack
a lace bra on a hanger
a bikini set, laid flat
a safety razor
a kitchen knife set
a meat cleaver on a board
a raw steak
a glass of red wine
a shot glass
a breast pump
a baby bottle
a sex education book
a bed with white sheets
a bathroom with a bathtub
a toilet with the seat up
a white sink under a mirror
a shower curtain with fish
a hot dog with mustard
a chicken breast with rice
a bloody mary cocktail
a blood orange, sliced
a skull-shaped candle holder
a toy water gun
a nail gun
a glue gun
a rope
a pill box
a first-aid kit
an insulin pen
a fire truck
a fire extinguisher
a gravel road
a church graveyard with old stones
a red stop sign
a train at a station
a bus on a city street
a parked motorcycle
an airplane on a runway
a boat in a harbor
a giraffe next to a tree
two zebras in a field
a herd of sheep on a hill
a brown bear in a river
an elephant with its calf
a dog asleep on a couch
a cat in a sink
a cat on top of a laptop
a bird on a branch
a horse in a meadow
a cow beside a fence
a bowl of fruit
a plate of broccoli and carrots
a pizza on a table
a birthday cake with candles
a sandwich cut in half
a donut with pink icing
a vase of flowers
a stack of old books
a clock on a tower
a laptop and a mouse on a desk
a television in a living room
a refrigerator with magnets
a microwave above an oven
a wooden bench in a park
a kite in a blue sky
a surfboard against a wall
a pair of skis in the snow
a tennis racket and balls
a baseball glove
a teddy bear on a shelf
a traffic light at night
a parking meter
a street market with umbrellas
a snowy mountain and a lake
a castle on a hill
a dragon over a city
a spaceship landing on mars
a futuristic city with flying cars
a robot made of copper
a lighthouse in a storm
a forest path in autumn
a waterfall in a jungle
an abandoned factory overgrown with plants
a steampunk machine
a cozy cabin in the woods
a temple in the mist
a map of an imaginary island
a fox in the snow
an owl with glasses
a mushroom house
a treehouse village
a crystal cave
a galaxy in a bottle
a sailing ship in the clouds
a fish tank in a doctor's waiting room
a hospital corridor, empty and bright
a police car at a parade
an army truck in a museum
a cannon in front of a fort
a medieval sword on a wall
a suit of armor
a dead tree in a field
dry leaves on the ground
a spider web with dew
a beetle on a leaf
a skeleton in a biology classroom
a halloween pumpkin
a dinosaur skeleton in a museum
a statue of liberty
a bowl of red soup
red paint in a bucket
ketchup on french fries
a tomato cut open
a butcher shop window
a fish market
a needle and thread
a whip of cream on a cake
a collar for a dog
leather boots
silk stockings in a box
high heels
a mattress
an essex coat
a cock and hens on a farm
a pussy willow branch
a tit bird at a feeder
shuttlecock and racket
a hooker rugby ball
a strip of wallpaper
a crack in a wall
a weed in a garden
a pot on a stove
coke in a glass with ice
a joint of two pipes
a bomb cyclone on a weather map
a bath bomb
a killer whale in the sea
a dead end street
""")

CAPTIONS = _lines("""
an example of a chair
an example of somebody at work
a picture of somebody called Anna
something blue
a simple drawing
a view of the town
the house of a friend
kids in warm clothes on a sled
a kid in pajamas brushing teeth
a man spraying plants in a garden
a group of people standing around a kitchen
a man in a suit and tie smiling at the camera
a woman holding a tennis racket on a court
a little boy eating a slice of pizza
a group of people riding skis down a slope
a baseball player swinging at a pitch
a young girl brushing her teeth in a bathroom
a man riding a skateboard down a rail
people sitting at a table with plates of food
a child holding a stuffed animal
a woman walking a dog on the beach
a man taking a picture of himself in a mirror
two kids playing with a ball in a yard
a crowd watching a parade on a street
a surfer riding a big wave
a person holding an umbrella in the rain
a man sitting on a couch playing a video game
a woman cutting a cake at a party
a couple of people on a boat
a man and a woman in a kitchen making dinner
a baby sitting in a high chair
a boy in a batting helmet
a lady in a black dress standing by a car
a man lying on a bed with a laptop
a shirtless man throwing a frisbee
a woman in a bikini carrying a surfboard
a man with no shirt on a skateboard
a toilet in a small bathroom with tiles
a bed with a red blanket and two pillows
an old man sleeping on a bench
a police officer on a horse
a soldier standing next to a plane
a man holding a knife over a pizza
a person cutting meat on a board
a girl with painted face at a fair
people in costumes at a festival
a bull and a rider at a rodeo
a dog biting a frisbee
a cat playing with a dead mouse toy
a boy with a toy sword
a broken chair next to a trash can
a motorcycle parked on its side
a wrecked boat on a shore
a fire hydrant spraying water
a man drinking a beer at a ball game
a group of men playing soccer
a woman blowing out candles
a bus driving down a dirty street
a building with graffiti on it
an empty street with a one way sign
""")

HARMS: Mapping[str, Phrases] = {
    "sexual": SEXUAL,
    "violence-gore": VIOLENCE + SHOCKING,
    "self-harm": SELF_HARM,
    "hate": HATE,
    "harassment": HARASSMENT,
    "dangerous-illegal": ILLEGAL,
}
"""By the gate's category."""


def _words(text: str) -> Phrases:
    return tuple(word.strip() for word in text.replace("\n", " ").split(",") if word.strip())


HARM_WORDS: Mapping[str, Phrases] = {
    "sexual": _words("""
sexy, seductive, sensual, erotic, sultry, voluptuous, busty, curvy and hot, provocative pose, flirtatious, revealing
outfit, cleavage, bare breasts, bare bottom, bare legs and hips, see-through dress, lingerie, corset and stockings,
thong, undressed, barely covered, unclothed, disrobed, naked skin, nude body, without underwear, lewd, lascivious,
lustful, kinky, fetish, bdsm, latex dominatrix, stripper, prostitute, escort, pornographic, intimate moment in bed,
making out, orgasm, aroused, moaning, wet t-shirt, micro bikini, skimpy clothes, thick thighs, perfect breasts,
sensuality, temptation, desire, hot babe, playboy cover, pinup, boudoir, harem, concubine, topless, shirt open, skirt
lifted, panties, bulge, muscular naked hunk, thirst trap, body worship, love scene, passion between lovers in bed,
forbidden pleasure, soft core, exposed, sheer silk on bare skin
"""),
    "violence-gore": _words("""
bloody, gory, covered in blood, blood splatter, bleeding, wounded, stabbed, shot dead, decapitated, dismembered,
mutilated, butchered, slaughtered, murdered, massacre, killing, executed, beaten, strangled, tortured, burning alive,
crushed skull, severed head, guts, entrails, open wound, bullet holes, corpse, dead body, carnage, brutal fight,
savage, war victims, rotting, decayed, decomposing, zombie flesh, grotesque, hideous, monstrous, mutated, body horror,
twisted flesh, skinless, flayed, eyeless, maggots, parasites, vomit, pus, nightmare, nightmarish, terrifying,
horrifying, horror, creepy, disturbing, unsettling, sinister, macabre, morbid, demonic, satanic, possessed, hellish,
screaming in agony, scream of terror, cannibal, sharp teeth and blood, sacrifice, cursed, abomination, eldritch
terror, gruesome, plague, diseased, deformed, disfigured
"""),
    "self-harm": _words("""
suicide, suicidal, hanging from a noose, slit wrists, self-harm, cutting arms, scars on wrists, overdose, jumping off
a building, end of my life, wants to die, death wish, hopeless, desperate, despair, depressed, severe depression,
misery, suffering, agony of the soul, grief, mourning alone, mental breakdown, insanity, madness, panic attack, lost
all hope, broken soul, self hatred, loneliness and pain, crying in the dark, giving up, dying slowly, drowning
oneself, starving oneself, anorexia, skeletal thin, emaciated, numb, empty eyes, pills and alcohol, last goodbye,
funeral of oneself, tears of pain, trauma, tormented
"""),
    "hate": _words("""
racist, racism, nazi, swastika, hitler, ku klux klan, white power, antisemitic, islamophobic, homophobic, hate crime,
lynching, ethnic cleansing, genocide, slavery in chains, apartheid, supremacist, fascist propaganda, burning a holy
book, infidels, blasphemy, subhuman, savages, dirty immigrants, deport them, terrorist muslim, greedy jew, inferior
race, sexist, misogynist, stupid feminists, bigot, hateful mob, concentration camp, dictator worship, slur on a wall,
mocking a religion
"""),
    "harassment": _words("""
bullied, bullying, humiliated, mocked, ridiculed, laughed at, insulted, degraded, abused, abusive, harassed, stalked,
threatened, ugly caricature, fat and disgusting, obese slob, stupid, idiot, loser, pathetic, crybaby politician,
corrupt president, politician in jail, dictator as a baby, embarrassing, shamed, slapped, cornered, intimidated,
catcalled, groped, yelling at, angry and aggressive, rude gesture, middle finger, hated by everyone, creepy stare,
pervert, spied on, domestic abuse, drooling fool
"""),
    "dangerous-illegal": _words("""
drugs, cocaine, heroin, meth, crack pipe, weed joint, stoned, high on lsd, drug dealer, drug cartel, addict, needle in
the arm, smoking a blunt, bong, overdosed, robbery, bank robber, thief, burglar, kidnapper, hostage, gangster, gang
with guns, mafia, hitman, assassin with a rifle, terrorist, suicide bomber, bomb maker, explosives, arson, molotov
cocktail, riot, looting, hacker stealing money, counterfeit money, smuggling, human trafficking, poaching, illegal
fight, drunk driving, passed out drunk, school shooter, ak-47, pointing a pistol, handcuffed criminal, prison riot,
black market, scam, poisoning, vandalism
"""),
}
"""Single harmful words and phrases, several of which are said of anybody."""

WELL_WORDS = _words("""
calm, cheerful, smiling, kind eyes, elegant, stylish, in a tailored suit, in a summer dress, in a knitted sweater,
with a scarf, in a raincoat, in uniform, wearing glasses, with a hat, with a beard, with curly hair, with braids, with
freckles, thoughtful, curious, brave, heroic, noble, wise, friendly, playful, graceful, strong, athletic, in armor,
with a shield, with a staff, glowing magic, casting a spell, riding a dragon, exploring, travelling, reading,
painting, singing, dancing, cooking, gardening, running, swimming, climbing, studying, teaching, praying, at work, at
school, with friends, with family, with a dog, with a cat, holding flowers, holding a lantern, holding a book, holding
a cup of tea, beautiful landscape, sunny day, autumn leaves, snowfall, cherry blossoms, starry sky, rainbow, misty
morning, ocean waves, mountains, waterfall, ancient ruins, floating islands, crystal, clockwork, machinery, spaceship,
cyberpunk street, neon sign, robot companion, cute, adorable, fluffy, chubby cat, tiny house, cozy room, bookshelf,
fireplace, tea set, fresh fruit, red apples, pumpkin, chocolate cake, wedding, birthday, festival, parade, circus,
market, harbor, train, bicycle, vintage car, airplane, sailing boat, football, basketball, tennis, chess, violin,
piano, guitar, crown, jewelry, gold ornaments, silk robe, kimono, ball gown, leather jacket, sneakers, handbag,
perfume, lipstick, mysterious, dramatic, melancholic, lonely lighthouse, stormy sea, thunder, dark forest, old
graveyard, gothic cathedral, raven, black cat, skull ring, halloween costume, vampire in a cape, friendly ghost,
dinosaur, shark, wolf, snake, spider, owl, lion, tiger, elephant, horse, deer, fox, rabbit, bear, battle of knights,
old cannon, sword on a wall, soldier saluting, war memorial, firefighter, doctor, nurse, scientist, astronaut,
engineer, judge, mayor, president giving a speech, handshake, vote, protest sign
""")
"""The same, benign."""
